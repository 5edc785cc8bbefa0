/** Which certificates hosts need for a goal, under which names they are installed, and which are there already. */
import { createHash, type X509Certificate } from 'node:crypto'
import { checkAsPool } from '../../tls/index.js'
import { encodePem, isSelfSigned } from '../../x509/index.js'
import { verifiesByPeer } from '../../xapi/index.js'
import type { Connection } from '../connection/connection.js'
import { servedBy } from '../connection/predict.js'
import type { OrderOf, PlannedStep } from '../run/steps/step.js'
import type { GoalKind, Trusted } from './decide-trust.js'

export interface NeededCertificate {
  readonly certificate: X509Certificate
  readonly role: OrderOf<'install'>['role']
}

/** The certificates on OpenSSL's path above the leaf; the leaf too, where old hosts accept only that (verifyPeer). */
export function findNeeded(
  connection: Connection,
  kind: GoalKind,
  { candidates }: Trusted,
  leaf: X509Certificate,
  name: string,
): readonly NeededCertificate[] {
  if (kind === 'self-signed') return [{ certificate: leaf, role: 'self-signed' }]
  const { path } = checkAsPool({
    presented: servedBy(connection.appliance),
    bundle: Buffer.from(candidates.map(pemOf).join('')),
    crls: undefined,
    name,
    now: connection.observedAt,
    port: connection.appliance.port,
  })
  const isCandidate = (one: X509Certificate) =>
    candidates.some(({ fingerprint256 }) => fingerprint256 === one.fingerprint256)
  const above = path.slice(1).filter(isCandidate).reverse()
  return [
    ...above.map((certificate): NeededCertificate => {
      return { certificate, role: isSelfSigned(certificate) ? 'root' : 'intermediate' }
    }),
    ...(connection.hosts.some(verifiesByPeer) ? [{ certificate: leaf, role: 'leaf' as const }] : []),
  ]
}

const NAMES = { 'self-signed': 'wlb.pem', leaf: 'wlb.pem', root: 'root_ca.pem', intermediate: 'intermediate_ca.pem' }

export function installOrders({ installed }: Connection, needed: readonly NeededCertificate[]): PlannedStep[] {
  const taken = new Set(installed.map(({ name }) => name))
  const ids = new Set<string>()
  return needed.map(({ certificate, role }) => {
    const { fingerprint256: fingerprintSha256 } = certificate
    const there = installed.find((one) => one.fingerprintSha256 === fingerprintSha256)
    const name = there?.name ?? chooseStoreName(NAMES[role], fingerprintSha256, taken)
    taken.add(name)
    const id = freeId(`install-${role}`, ids)
    const order = { id, kind: 'install', name, fingerprintSha256, pem: pemOf(certificate), role } as const
    return { order, state: there ? 'already' : 'planned' }
  })
}

/** Ids are the same from run to run for the same plan, so that a resumed run finds its steps. */
function freeId(wanted: string, taken: Set<string>): string {
  let id = wanted
  for (let count = 2; taken.has(id); count++) id = `${wanted}-${count}`
  taken.add(id)
  return id
}

export function pemOf({ raw }: X509Certificate): string {
  return encodePem('CERTIFICATE', raw)
}

const ACCEPTABLE = /^[A-Za-z0-9_-][A-Za-z0-9._-]*\.pem$/
const SHORTEST = 8

/** `wanted` where it is free, else with as many digits of the fingerprint as make it unique. */
export function chooseStoreName(wanted: string, fingerprintSha256: string, taken: ReadonlySet<string>): string {
  const stem = wanted.replace(/\.pem$/, '')
  const hex = fingerprintSha256.replaceAll(':', '')
  const longer = Array.from({ length: hex.length - SHORTEST + 1 }, (_, more) => hex.slice(0, SHORTEST + more))
  const candidates = [wanted, ...longer.map((piece) => `${stem}-${piece}.pem`)]
  const free = candidates.find((name) => ACCEPTABLE.test(name) && !taken.has(name))
  if (free === undefined) throw new Error(`no name is free for ${wanted}`)
  return free
}

/** Derived from the content, so that the same list has the same name: a pool lists only the names of revocation lists. */
export function crlStoreName(pem: string): string {
  return `crl-${createHash('sha256').update(pem).digest('hex').slice(0, 12)}.pem`
}
