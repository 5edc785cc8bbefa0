/** From the words of `wlb trust plan`, `apply` and `undo` to what is asked of the pool. */
import type { X509Certificate } from 'node:crypto'
import { readCertificateFiles } from '../../appliance/index.js'
import { WlbError } from '../../error.js'
import { configFolder, type TrustRequest } from '../../trust/index.js'
import { readSecretFile } from '../secret-file.js'
import type { PoolFlags } from '../words/pool-options.js'
import type { PoolChoice } from './open-pool.js'

export interface CredentialFlags extends PoolFlags {
  readonly wlbPasswordFile?: string
  readonly allowDown?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

export interface GoalFlags extends CredentialFlags {
  readonly goal?: 'self-signed' | 'ca'
  readonly fingerprint?: string
  readonly name?: string
  readonly crl?: readonly string[]
  readonly wlbUsername?: string
  readonly resume?: boolean
  readonly dryRun?: boolean
}

export type UndoRequest = Omit<TrustRequest, 'goal' | 'files' | 'resume' | 'askFingerprint'>

/** @throws USAGE_NEEDS_GOAL, and what reading the files throws. */
export async function readTrustRequest(
  root: string,
  files: readonly string[],
  flags: GoalFlags,
  choice: PoolChoice,
): Promise<TrustRequest> {
  const { goal, resume = false } = flags
  if (goal === undefined && !resume) throw needsGoal()
  return {
    ...(await readUndoRequest(root, flags, choice)),
    goal,
    resume,
    files: await readCertificateFiles([...files, ...(flags.crl ?? [])]),
    fingerprintSha256: flags.fingerprint,
    name: flags.name,
    wlbUserName: flags.wlbUsername,
    askFingerprint: (seen, leaf) => askFingerprint(seen, leaf, flags),
  }
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
    wlbPassword: wlbPasswordFile === undefined ? undefined : await readSecretFile(wlbPasswordFile),
    poolUser: { userName: access.userName, password: access.password },
    home: configFolder(),
  }
}

/** On the appliance itself the same certificate must be shown; nobody can compare for somebody else. */
async function askFingerprint(seen: string, leaf: X509Certificate, { yes = false }: GoalFlags): Promise<boolean> {
  if (yes || !process.stdin.isTTY) throw needsFingerprint(seen)
  process.stderr.write(
    `The appliance shows a certificate for ${leaf.subject.replaceAll('\n', ', ')} with the SHA-256 fingerprint\n  ${seen}\n` +
      'On the appliance:  openssl x509 -in /etc/ssl/certs/server.pem -noout -fingerprint -sha256\n',
  )
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message: 'Is it the same there?', initialValue: false })) === true
}

function needsGoal(): WlbError {
  return new WlbError(
    'USAGE_NEEDS_GOAL',
    'No goal was named: what is the pool to trust.',
    { missing: '--goal self-signed, or --goal ca' },
    'wlb trust plan --goal self-signed',
  )
}

function needsFingerprint(seen: string): WlbError {
  return new WlbError(
    'USAGE_NEEDS_FINGERPRINT',
    'Nobody vouches for the certificate of this appliance: it is elsewhere, and no file and no fingerprint was given.',
    { seen, missing: '--fingerprint SHA256, or the file wlb.pem' },
    'wlb trust apply --goal self-signed --fingerprint SHA256',
  )
}
