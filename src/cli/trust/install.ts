/** `wlb trust install`: replaces the certificate of an appliance on another machine over SSH. */
import { visible, visibleLine } from '../../base/text/printable.js'
import { quoteFile, quoteWord } from '../../base/text/quote-word.js'
import { nameHost } from '../../ssh/index.js'
import { installDocument, planInstallOverSsh, replaceOverSsh } from '../../trust/index.js'
import { describeOutcomeOverSsh, describePlanOverSsh } from '../cert/install-text.js'
import { describePools, isSureOfPools, NO_POOLS, poolsDocument } from '../cert/pools-first.js'
import { readSecretFile, sayOpening } from '../terminal/ask.js'
import { printJson, printNote, printText } from '../terminal/print.js'
import type { InstallFlags } from './commands.js'
import { proofMsOf, withSshConnection } from './open-ssh.js'
import { lookAtPoolsElsewhere } from './pools-elsewhere.js'

const TIMEOUT_MS = 10_000
const DEFAULT_PORT = 8012

/** @throws USAGE_NEEDS_YES when there is nobody to ask, POOLS_WOULD_REFUSE, and what connecting, judging, planning and replacing throw. */
export async function trustInstall(given: string, files: readonly string[], flags: InstallFlags): Promise<void> {
  const passphrase = await readSecretFile(flags.passphraseFile)
  await withSshConnection(given, flags, async (ssh) => {
    const { target } = ssh
    const now = new Date()
    const { host, port } = flags.appliance ?? { host: target.host, port: DEFAULT_PORT }
    const { key: keyFile, name, applianceRoot, restartCommand } = flags
    const endpoint = { address: host, port, timeoutMs: TIMEOUT_MS }
    const install = await planInstallOverSsh(ssh, {
      files,
      keyFile,
      passphrase,
      onSlow: sayOpening,
      name,
      now,
      endpoint,
      applianceRoot,
      restartCommand,
    })
    const show = flags.json ? printNote : printText
    show(`${describePlanOverSsh(install, now)}\n`)
    const ahead = install.plan.isInPlace ? NO_POOLS : await lookAtPoolsElsewhere(ssh, install, now)
    const renewal = renewalOf(given, files, flags)
    for (const line of describePools(ahead, renewal, undefined)) show(`${line}\n`)
    if (flags.dryRun) {
      if (flags.json) printJson({ ...installDocument(install, 'planned'), ...poolsDocument(ahead) })
      return
    }
    const question = `Install this certificate on ${nameHost(target)}?`
    const sure = await isSureOfPools(ahead, {
      question,
      command: 'wlb trust install USER@HOST FILES --key FILE',
      renewal,
      root: undefined,
      isElsewhere: true,
      flags: { yes: install.plan.isInPlace || flags.yes, anyway: flags.anyway },
    })
    if (!sure) return
    const outcome = await replaceOverSsh(ssh, install.replacement, {
      proofMs: proofMsOf(flags),
      onStep: ({ what }) => printNote(`${visibleLine(what)} ...\n`),
    })
    if (flags.json) printJson({ ...installDocument(install, outcome), ...poolsDocument(ahead) })
    else printText(`${describeOutcomeOverSsh(visible(install), visible(outcome))}\n`)
  })
}

/** The words that do the same once every host of a pool is ready, as they were typed here. */
function renewalOf(
  target: string,
  files: readonly string[],
  { key, passphraseFile, name, applianceRoot, restartCommand }: InstallFlags,
): string {
  const options = {
    '--key': key,
    '--passphrase-file': passphraseFile,
    '--name': name,
    '--ssh': target,
    '--appliance-root': applianceRoot === '/' ? undefined : applianceRoot,
    '--restart-command': restartCommand,
  }
  const given = Object.entries(options).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))
  return `wlb trust renew ${[...files.map(quoteFile), ...given.map(quoteWord)].join(' ')} --manage`
}
