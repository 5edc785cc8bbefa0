/** `wlb trust install`: replaces the certificate of an appliance on another machine over SSH. */
import { visible, visibleLine } from '../../base/text/printable.js'
import { nameHost } from '../../ssh/index.js'
import { installDocument, planInstallOverSsh, replaceOverSsh } from '../../trust/index.js'
import { describeOutcomeOverSsh, describePlanOverSsh } from '../cert/install-text.js'
import { isSure, readSecretFile, sayOpening } from '../terminal/ask.js'
import { printJson, printNote, printText } from '../terminal/print.js'
import type { InstallFlags } from './commands.js'
import { proofMsOf, withSshConnection } from './open-ssh.js'

const TIMEOUT_MS = 10_000
const DEFAULT_PORT = 8012

/** @throws USAGE_NEEDS_YES when there is nobody to ask, and what connecting, judging, planning and replacing throw. */
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
    if (flags.dryRun) {
      if (flags.json) printJson(installDocument(install, 'planned'))
      return
    }
    const question = `Install this certificate on ${nameHost(target)}?`
    const command = 'wlb trust install USER@HOST FILES --key FILE'
    if (!(await isSure(question, { command, yes: install.plan.isInPlace || flags.yes }))) return
    const outcome = await replaceOverSsh(ssh, install.replacement, {
      proofMs: proofMsOf(flags),
      onStep: ({ what }) => printNote(`${visibleLine(what)} ...\n`),
    })
    if (flags.json) printJson(installDocument(install, outcome))
    else printText(`${describeOutcomeOverSsh(visible(install), visible(outcome))}\n`)
  })
}
