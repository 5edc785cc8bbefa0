/** `wlb cert install`: puts an authority's certificate in place on this machine. */

import { WlbError } from '../../base/error.js'
import { visibleLine } from '../../base/text/printable.js'
import { quoteFile, quoteWord } from '../../base/text/quote-word.js'
import {
  type InstallPlan,
  type InstallRequest,
  installationDocument,
  installCertificate,
  planInstallation,
} from '../../identity/index.js'
import { askSecret, isAtTerminal, readSecretFile, sayOpening } from '../terminal/ask.js'
import { printJson, printNote, printText } from '../terminal/print.js'
import type { InstallFlags } from './commands.js'
import { describeInstallation, describePlan } from './install-text.js'
import { describePools, isSureOfPools, lookAtPools, NO_POOLS, poolsDocument } from './pools-first.js'

/**
 * @throws USAGE_NEEDS_YES when there is nobody to ask, POOLS_WOULD_REFUSE, and what planning and installing throw.
 */
export async function certInstall(root: string, files: readonly string[], flags: InstallFlags): Promise<void> {
  const now = new Date()
  const passphrase = await readSecretFile(flags.passphraseFile)
  const plan = await planWithPassphrase({
    root,
    files,
    now,
    keyFile: flags.key,
    passphrase,
    onSlow: sayOpening,
    name: flags.name,
  })
  const show = flags.json ? printNote : printText
  show(`${describePlan(plan, now)}\n`)
  const ahead = plan.isInPlace ? NO_POOLS : await lookAtPools(root, plan.identity.certificatePem)
  const renewal = `wlb trust renew ${wordsOf(files, flags)}`
  for (const line of describePools(ahead, renewal, root)) show(`${line}\n`)
  if (flags.dryRun) {
    if (flags.json) printJson({ ...installationDocument(plan, undefined), ...poolsDocument(ahead) })
    return
  }
  const sure = await isSureOfPools(ahead, {
    question: `Install this certificate for ${plan.name}?`,
    command: `wlb cert install ${wordsOf(files, flags)}`,
    renewal,
    root,
    flags: { yes: plan.isInPlace || flags.yes, anyway: flags.anyway },
  })
  if (!sure) return
  const done = await installCertificate(root, plan, {
    now,
    onStep: (step) => printNote(`${visibleLine(step)} ...\n`),
  })
  if (flags.json) printJson({ ...installationDocument(plan, done), ...poolsDocument(ahead) })
  else printText(`${describeInstallation(root, plan, done)}\n`)
}

/** Files and options as they were typed. */
function wordsOf(files: readonly string[], { key, passphraseFile, name }: InstallFlags): string {
  const options = { '--key': key, '--passphrase-file': passphraseFile, '--name': name }
  const given = Object.entries(options).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))
  return [...files.map(quoteFile), ...given.map(quoteWord)].join(' ')
}

/** An encrypted key or PKCS#12 asks for its passphrase, where there is somebody to type it. */
async function planWithPassphrase(request: InstallRequest): Promise<InstallPlan> {
  try {
    return await planInstallation(request)
  } catch (error) {
    const isLocked = error instanceof WlbError && /^(KEY_PASSPHRASE|PKCS12_PASSWORD)_NEEDED$/.test(error.code)
    if (!isLocked || !isAtTerminal()) throw error
    const passphrase = await askSecret(error.message)
    if (passphrase === undefined) throw error
    return planInstallation({ ...request, passphrase })
  }
}
