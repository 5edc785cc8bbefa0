/** Builds the request for the trust room from the options of `wlb trust plan`, `apply` and `undo`. */

import type { X509Certificate } from 'node:crypto'
import { whyNotPresentable } from '../../config/index.js'
import { readCertificateFiles } from '../../identity/index.js'
import { parseSshTarget } from '../../ssh/index.js'
import type { TrustRequest } from '../../trust/index.js'
import { fetchCertificate } from '../../trust/index.js'
import { describeCertificate } from '../../x509/index.js'
import { configFolder } from '../../xapi/index.js'
import { fail } from '../errors.js'
import { compareByEye, isAtTerminal, ON_THE_APPLIANCE, readSecretFile } from '../terminal/ask.js'
import type { ApplyFlags, CredentialFlags } from './commands.js'
import type { PoolChoice } from './open-pool.js'
import { withSshConnection } from './open-ssh.js'

export type UndoRequest = Omit<TrustRequest, 'goal' | 'files' | 'resume' | 'askFingerprint'>

/** @throws USAGE_NEEDS_GOAL, and what reading the files throws. */
export async function readTrustRequest(
  root: string,
  files: readonly string[],
  flags: ApplyFlags,
  choice: PoolChoice,
): Promise<TrustRequest> {
  const { goal, resume = false } = flags
  if (goal === undefined && !resume) {
    throw fail('USAGE_NEEDS_GOAL', { missing: '--goal self-signed, or --goal ca' })
  }
  return {
    ...(await readUndoRequest(root, flags, choice)),
    goal,
    resume,
    files: await readCertificateFiles([...files, ...(flags.crl ?? [])]),
    fingerprintSha256: flags.fingerprint,
    name: flags.name,
    wlbUserName: flags.wlbUsername,
    statedFingerprint: flags.ssh === undefined ? undefined : askOverSsh(flags.ssh, flags),
    askFingerprint: (seen, leaf) => askFingerprint(seen, leaf, flags),
  }
}

function askOverSsh(given: string, flags: ApplyFlags): () => Promise<string> {
  parseSshTarget(given) // a wrong call is said before anything is asked
  const { applianceRoot } = flags
  return () =>
    withSshConnection(given, flags, async (ssh) => {
      const { leaf } = await fetchCertificate(ssh, { applianceRoot })
      return leaf.fingerprint256
    })
}

export async function readUndoRequest(
  root: string,
  { wlbPasswordFile, allowDown = false }: CredentialFlags,
  { access, appliance }: PoolChoice,
): Promise<UndoRequest> {
  return {
    appliance,
    applianceRoot: root,
    fingerprintSha256: undefined,
    name: undefined,
    allowDown,
    wlbUserName: undefined,
    wlbPassword: await readWlbPassword(wlbPasswordFile),
    poolUser: { userName: access.userName, password: access.password },
    home: configFolder(),
  }
}

/** Reads the password that a pool is to present to its appliance. @throws also when HTTP cannot carry it. */
export async function readWlbPassword(file: string | undefined): Promise<string | undefined> {
  const password = await readSecretFile(file)
  if (password === undefined || file === undefined) return undefined
  const why = whyNotPresentable(password)
  if (why !== undefined) throw fail('PASSWORD_FILE_UNREADABLE', { file, why: `the password in it ${why}` })
  return password
}

/** A person compares the fingerprint with the appliance's own; `--yes` cannot stand for that. */
async function askFingerprint(seen: string, leaf: X509Certificate, { yes = false }: ApplyFlags): Promise<boolean> {
  if (yes || !isAtTerminal()) {
    throw fail('USAGE_NEEDS_FINGERPRINT', {
      seen,
      missing: '--fingerprint SHA256, --ssh USER@HOST, or the file wlb.pem',
    })
  }
  const what = `The appliance shows a certificate for ${describeCertificate(leaf).subject}, which`
  return compareByEye(what, seen, ON_THE_APPLIANCE)
}
