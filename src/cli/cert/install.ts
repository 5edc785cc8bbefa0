/** `wlb cert install`: puts an authority's certificate in place on this machine. */

import { WlbError } from '../../base/error.js'
import {
  type InstallPlan,
  type InstallRequest,
  installationDocument,
  installCertificate,
  planInstallation,
} from '../../identity/index.js'
import { askSecret, isAtTerminal, isSure, readSecretFile } from '../ask.js'
import { printJson } from '../print.js'
import type { InstallFlags } from './commands.js'
import { describeInstallation, describePlan } from './install-text.js'

/**
 * @throws USAGE_NEEDS_YES when there is nobody to ask, and what planning and installing throw.
 */
export async function certInstall(root: string, files: readonly string[], flags: InstallFlags): Promise<void> {
  const now = new Date()
  const passphrase = await readSecretFile(flags.passphraseFile)
  const plan = await planWithPassphrase({ root, files, now, keyFile: flags.key, passphrase, name: flags.name })
  const screen = flags.json ? process.stderr : process.stdout
  screen.write(`${describePlan(plan, now)}\n`)
  if (flags.dryRun) {
    if (flags.json) printJson(installationDocument(plan, undefined))
    return
  }
  const question = `Install this certificate for ${plan.name}?`
  const command = 'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem'
  if (!(await isSure(question, { command, yes: plan.isInPlace || flags.yes }))) return
  const done = await installCertificate(root, plan, {
    now,
    onStep: (step) => void process.stderr.write(`${step} ...\n`),
  })
  if (flags.json) printJson(installationDocument(plan, done))
  else process.stdout.write(`${describeInstallation(root, plan, done)}\n`)
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
