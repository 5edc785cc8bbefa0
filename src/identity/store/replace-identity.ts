/** Replaces the appliance's certificate and key for good, or leaves everything as it was: install, activate, prove. */
import { WlbError } from '../../base/error.js'
import { type AppliancePaths, paths } from '../../config/paths.js'
import { readSettings } from '../../config/settings.js'
import type { ServedIdentity } from '../../tls/index.js'
import { type Activation, activateIdentity, type Patience } from './activate-identity.js'
import { type Installed, installIdentity, lockedIdentity, settleIdentity } from './identity-change.js'
import { isUsable, readOriginal, readPair } from './identity-files.js'
import type { IdentitySource } from './identity-history.js'

export interface Replacement {
  readonly installed: Installed
  readonly activation: Exclude<Activation, { state: 'failed' }>
}

export interface ReplaceOptions {
  readonly how: IdentitySource
  readonly now: Date
  readonly patience?: Patience
  /** Told before each step, for a sign of life. */
  readonly onStep?: (step: 'install' | 'activate' | 'take back') => void
}

/**
 * Puts a pair in place and proves that it is served. When the proof fails, the pair before is put back and activated.
 * The very pair that is in place already is only activated.
 *
 * @throws NOT_SET_UP, DIRECTORY_IN_USE, and what `installIdentity` throws, with nothing changed.
 * @throws IDENTITY_TAKEN_BACK when it did not come into service; the pair before is in place again.
 * @throws IDENTITY_NOT_PROVED when it did not come into service and there is nothing that works to go back to.
 */
export async function replaceIdentity(
  root: string,
  identity: ServedIdentity,
  options: ReplaceOptions,
): Promise<Replacement> {
  const place = paths(root)
  await readSettings(place.settings)
  return lockedIdentity(place, async () => {
    await settleIdentity(place)
    const before = await readBefore(place)
    options.onStep?.('install')
    const installed = await installIdentity(place, identity, options)
    options.onStep?.('activate')
    const activation = await tryToActivate(root, options.patience)
    if (activation.state === 'proved' || activation.state === 'not running') return { installed, activation }
    if (installed.state === 'already so' || !before) throw notProved(activation)

    options.onStep?.('take back')
    await installIdentity(place, before.pair, { ...options, original: before.original })
    const back = await tryToActivate(root, options.patience)
    throw takenBack(activation, back)
  })
}

type Attempt = Activation | { readonly state: 'broken'; readonly error: unknown }

/** An appliance that does not answer is a proof that failed too. */
async function tryToActivate(root: string, patience?: Patience): Promise<Attempt> {
  try {
    return await activateIdentity(root, patience)
  } catch (error) {
    return { state: 'broken', error }
  }
}

/** What to go back to: the pair in place, if it works, and its own original. */
async function readBefore(place: AppliancePaths) {
  const pair = await readPair(place)
  if (!isUsable(pair)) return undefined
  const original = await readOriginal(place).catch(() => undefined) // half of one, left by hand, is no original
  return { pair, original: original && isUsable(original) ? original : null }
}

function explain(attempt: Attempt): Record<string, string | number> {
  switch (attempt.state) {
    case 'failed': {
      const { who, address, port, seen, said } = attempt.failed
      return { who, address, port, expected: attempt.fingerprintSha256, seen, ...(said && { said }) }
    }
    case 'broken': {
      const { error } = attempt
      const why = error instanceof Error ? error.message : String(error)
      return { who: 'appliance', ...(error instanceof WlbError && { code: error.code }), why }
    }
    default:
      return {}
  }
}

function takenBack(attempt: Attempt, back: Attempt): WlbError {
  const servedAgain = back.state === 'proved' || back.state === 'not running'
  return new WlbError(
    'IDENTITY_TAKEN_BACK',
    'The new certificate did not come into service, so the one before is in its place again.',
    { ...explain(attempt), servedAgain },
    'wlb cert show',
    attempt.state === 'broken' ? attempt.error : undefined,
  )
}

function notProved(attempt: Attempt): WlbError {
  return new WlbError(
    'IDENTITY_NOT_PROVED',
    'The certificate is in its place, but it is not what is served, and there is no other one to go back to.',
    explain(attempt),
    'wlb cert show',
    attempt.state === 'broken' ? attempt.error : undefined,
  )
}
