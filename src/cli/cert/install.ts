/** `wlb cert install`: an authority's files become the appliance's identity, or it is said what is wrong with them. */

import { WlbError } from '../../base/error.js'
import {
  type InstallPlan,
  type InstallRequest,
  installCertificate,
  installSteps,
  planInstallation,
} from '../../identity/index.js'
import { printJson } from '../print.js'
import { readSecretFile } from '../secret-file.js'
import type { InstallFlags } from './commands.js'
import { describeInstallation, describePlan, documentOf } from './install-text.js'
import { isSure } from './sure.js'

/**
 * @throws USAGE_NEEDS_YES when there is nobody to ask, and what planning and installing throw.
 */
export async function certInstall(root: string, files: readonly string[], flags: InstallFlags): Promise<void> {
  const now = new Date()
  const passphrase = flags.passphraseFile === undefined ? undefined : await readSecretFile(flags.passphraseFile)
  const request: InstallRequest = {
    root,
    files,
    now,
    ...(flags.key !== undefined && { keyFile: flags.key }),
    ...(passphrase !== undefined && { passphrase }),
    ...(flags.name !== undefined && { name: flags.name }),
  }
  const plan = await planWithPassphrase(request)
  const steps = installSteps(root, plan)
  const screen = flags.json ? process.stderr : process.stdout
  screen.write(`${describePlan(plan, steps, now)}\n`)
  if (flags.dryRun) {
    if (flags.json) printJson(documentOf(plan, steps, undefined))
    return
  }
  const question = `Install this certificate for ${plan.name}?`
  const command = 'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem'
  if (!(await isSure(question, command, plan.isInPlace || flags.yes === true))) return
  const done = await installCertificate(root, plan, {
    now,
    onStep: (step) => void process.stderr.write(`${step} ...\n`),
  })
  if (flags.json) printJson(documentOf(plan, steps, done))
  else process.stdout.write(`${describeInstallation(root, plan, done)}\n`)
}

/** An encrypted key or PKCS#12 asks for its passphrase, where there is somebody to type it. */
async function planWithPassphrase(request: InstallRequest): Promise<InstallPlan> {
  try {
    return await planInstallation(request)
  } catch (error) {
    const isLocked = error instanceof WlbError && /^(KEY_PASSPHRASE|PKCS12_PASSWORD)_NEEDED$/.test(error.code)
    if (!isLocked || !process.stdin.isTTY) throw error
    const { isCancel, password } = await import('@clack/prompts')
    const passphrase = await password({ message: error.message })
    if (isCancel(passphrase)) throw error
    return planInstallation({ ...request, passphrase })
  }
}
