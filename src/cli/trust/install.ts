/** `wlb trust install`: the certificate of an appliance that is not ours, replaced over SSH as the procedure by hand says. */
import { isIP } from 'node:net'
import { WlbError } from '../../base/error.js'
import { parseSshTarget, runOrFail, type SshConnection } from '../../ssh/index.js'
import {
  fetchCertificate,
  type InstallOrder,
  installDocument,
  planReplacement,
  readManagedIdentity,
  replaceOverSsh,
} from '../../trust/index.js'
import { readContainers } from '../../x509/index.js'
import { isSure } from '../cert/sure.js'
import { printJson } from '../print.js'
import { readSecretFile } from '../secret-file.js'
import type { InstallFlags } from './commands.js'
import { describeOutcome, describePlan } from './install-text.js'
import { proofMsOf, withSshConnection } from './open-ssh.js'

const TIMEOUT_MS = 10_000
const DEFAULT_PORT = 8012

/** @throws USAGE_NEEDS_YES when there is nobody to ask, and what connecting, judging, planning and replacing throw. */
export async function trustInstall(given: string, files: readonly string[], flags: InstallFlags): Promise<void> {
  const target = parseSshTarget(given)
  const passphrase = flags.passphraseFile === undefined ? undefined : await readSecretFile(flags.passphraseFile)
  await withSshConnection(target, flags, async (ssh) => {
    const now = new Date()
    const { host, port } = flags.appliance ?? { host: target.host, port: DEFAULT_PORT }
    const name = flags.name ?? (await nameOf(ssh, host))
    const inPlace = await readInPlace(ssh, flags.applianceRoot)
    const managed = await readManagedIdentity({ files, keyFile: flags.key, passphrase, inPlace, name, port, now })
    const endpoint = { address: host, port, serverName: name, timeoutMs: TIMEOUT_MS }
    const plan = await planReplacement(ssh, {
      ...{ identity: managed.identity, leaf: managed.chain.leaf, endpoint },
      ...(flags.applianceRoot !== undefined && { applianceRoot: flags.applianceRoot }),
      ...(flags.restartCommand !== undefined && { restartCommand: flags.restartCommand }),
    })
    await carryOut(ssh, { managed, plan, name, now }, flags)
  })
}

async function carryOut(ssh: SshConnection, order: InstallOrder, flags: InstallFlags): Promise<void> {
  const screen = flags.json ? process.stderr : process.stdout
  screen.write(`${describePlan(order)}\n`)
  if (flags.dryRun) {
    if (flags.json) printJson(installDocument(order, 'planned'))
    return
  }
  const question = `Install this certificate on ${ssh.target.host}?`
  const isDone = order.plan.steps.length === 0
  if (!(await isSure(question, 'wlb trust install USER@HOST FILES --key FILE', isDone || flags.yes === true))) return
  const outcome = await replaceOverSsh(ssh, order.plan, {
    proofMs: proofMsOf(flags),
    onStep: ({ what }) => void process.stderr.write(`${what} ...\n`),
  })
  if (flags.json) printJson(installDocument(order, outcome))
  else process.stdout.write(`${describeOutcome(order, outcome)}\n`)
}

/** Pools connect by a name: an address has to be asked for its own, as the appliance's certificate is made for it. */
async function nameOf(ssh: SshConnection, host: string): Promise<string> {
  if (isIP(host) === 0) return host
  return (await runOrFail(ssh, 'hostname -f 2>/dev/null || hostname')).toString('utf8').trim()
}

/** What is in place may hold the issuers of its successor. */
async function readInPlace(ssh: SshConnection, applianceRoot: string | undefined) {
  try {
    const { bytes, file } = await fetchCertificate(ssh, applianceRoot === undefined ? {} : { applianceRoot })
    return readContainers([{ file, bytes }]).certificates.map(({ certificate }) => certificate)
  } catch (error) {
    // what cannot be read cannot help, and is about to be replaced
    if (error instanceof WlbError && error.code !== 'SSH_CONNECTION_LOST') return []
    throw error
  }
}
