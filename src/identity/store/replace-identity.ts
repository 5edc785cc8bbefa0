/**
 * Replaces the appliance's certificate and key: install, activate, prove by a handshake; if that fails, put the pair
 * before back.
 */
import { WlbError } from '../../base/error.js'
import { type AppliancePaths, paths, readSettings } from '../../config/index.js'
import type { ServedIdentity } from '../../tls/index.js'
import { fail } from '../errors.js'
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
  /** Called before each step, for progress. */
  readonly onStep?: (step: 'install' | 'activate' | 'take back') => void
}

/**
 * Puts a pair in place and proves that it is served. When the proof fails, the pair before is put back and activated.
 * A pair that is in place already is only activated.
 *
 * @throws NOT_SET_UP, DIRECTORY_IN_USE, and what `installIdentity` throws, with nothing changed.
 * @throws IDENTITY_TAKEN_BACK when it is not served; the pair before is in place again.
 * @throws IDENTITY_NOT_PROVED when it is not served and there is no usable pair to go back to.
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
    if (installed.state === 'already so' || !before) {
      throw fail('IDENTITY_NOT_PROVED', explain(activation), causeOf(activation))
    }

    options.onStep?.('take back')
    await installIdentity(place, before.pair, { ...options, original: before.original })
    const back = await tryToActivate(root, options.patience)
    const servedAgain = back.state === 'proved' || back.state === 'not running'
    throw fail('IDENTITY_TAKEN_BACK', { ...explain(activation), servedAgain }, causeOf(activation))
  })
}

type Attempt = Activation | { readonly state: 'broken'; readonly error: unknown }

/** An appliance that does not answer counts as a failed proof. */
async function tryToActivate(root: string, patience?: Patience): Promise<Attempt> {
  try {
    return await activateIdentity(root, patience)
  } catch (error) {
    return { state: 'broken', error }
  }
}

/** What to go back to: the pair in place, if it can be served, and its own `_orig` pair. */
async function readBefore(place: AppliancePaths) {
  const pair = await readPair(place)
  if (!isUsable(pair)) return undefined
  const original = await readOriginal(place).catch(() => undefined) // an incomplete `_orig` pair counts as none
  return { pair, original: original && isUsable(original) ? original : null }
}

function explain(attempt: Attempt) {
  switch (attempt.state) {
    case 'failed': {
      const { who, address, port, seen, said } = attempt.failed
      return { who, address, port, expected: attempt.fingerprintSha256, seen, said: said || undefined }
    }
    case 'broken': {
      const { error } = attempt
      const why = error instanceof Error ? error.message : String(error)
      return { who: 'appliance', code: error instanceof WlbError ? error.code : undefined, why }
    }
    default:
      return {}
  }
}

function causeOf(attempt: Attempt): unknown {
  return attempt.state === 'broken' ? attempt.error : undefined
}
