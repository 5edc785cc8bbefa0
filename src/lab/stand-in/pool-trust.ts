/** Installs and removes the stand-in's certificates and revocation lists in the pool, as any client would. */
import { ApiFailure, type ApiValue, withPool } from '../../xapi/index.js'
import { type Lab, readLab } from '../launcher/lab-file.js'

interface PoolTrust {
  readonly certificates: Readonly<Record<string, string>>
  readonly crls: Readonly<Record<string, string>>
}

export const NO_TRUST: PoolTrust = { certificates: {}, crls: {} }

/** Removes what is only in `before` or differs in `after`, then installs what is missing. */
export async function changePoolTrust(root: string, before: PoolTrust, after: PoolTrust): Promise<void> {
  const calls = [
    ...obsolete(before.certificates, after.certificates).map((name) => ['pool.uninstall_ca_certificate', name]),
    ...obsolete(before.crls, after.crls).map((name) => ['pool.crl_uninstall', name]),
    ...obsolete(after.certificates, before.certificates).map((name) => [
      'pool.install_ca_certificate',
      name,
      after.certificates[name] ?? '',
    ]),
    ...obsolete(after.crls, before.crls).map((name) => ['pool.crl_install', name, after.crls[name] ?? '']),
  ]
  if (calls.length === 0) return
  await withCoordinator(await readLab(root), async (call) => {
    for (const [method = '', ...params] of calls) await inEffect(call(method, ...params))
    await call('pool.certificate_sync')
  })
}

function obsolete(ones: Readonly<Record<string, string>>, others: Readonly<Record<string, string>>): string[] {
  return Object.keys(ones).filter((name) => ones[name] !== others[name])
}

/**
 * Failures that mean there is nothing left to do, because another client or an interrupted call did it. A pool reports
 * INVALID_VALUE after it has removed a file that has no record.
 */
const DONE_ALREADY = [
  'INVALID_VALUE',
  'CERTIFICATE_DOES_NOT_EXIST',
  'CRL_DOES_NOT_EXIST',
  'CERTIFICATE_ALREADY_EXISTS',
  'CRL_ALREADY_EXISTS',
]

async function inEffect(call: Promise<ApiValue>): Promise<void> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof ApiFailure) || !DONE_ALREADY.includes(error.code)) throw error
  }
}

const TIMEOUT_MS = 60_000

type Call = (method: string, ...params: readonly ApiValue[]) => Promise<ApiValue>

/**
 * Asks the hosts one after the other until one is the coordinator, or names it. Whatever certificate they show will do:
 * they are processes of this lab, on this machine.
 */
async function withCoordinator(lab: Lab, work: (call: Call) => Promise<void>): Promise<void> {
  const { hosts, tlsPort: port, username: userName, password } = lab
  const common = {
    port,
    userName,
    password,
    trust: { kind: 'none' },
    followsMember: true,
    timeoutMs: TIMEOUT_MS,
  } as const
  let failure: unknown
  for (const { address } of hosts) {
    try {
      return await withPool({ ...common, address }, (session) => work((...call) => session.call(...call)))
    } catch (error) {
      if (error instanceof ApiFailure) throw error
      failure = error
    }
  }
  throw failure
}
