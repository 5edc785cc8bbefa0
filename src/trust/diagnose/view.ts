/** The evidence turned over once: what every group of findings asks of it. */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type AnsweredFacts, checkAsPool, type PoolQuestion, type PoolVerdict } from '../../tls/index.js'
import { describeCertificate, isSelfSigned } from '../../x509/index.js'
import type { HostFacts, InstalledCertificate } from '../../xapi/pool/pool-records.js'
import { parseWlbAddress } from '../../xapi/pool/wlb-address.js'
import { type Disk, describeDisk, linkedCrls, type StoreOnDisk } from '../connection/disks.js'
import type { Evidence, PoolEvidence } from './evidence.js'
import { defectsSaid, isStoreError } from './store-errors.js'

/** What a host said when it connected itself; the coordinator by the call, too. */
export interface Voice {
  readonly host: HostFacts
  readonly said: 'accepted' | 'refused' | 'nothing'
  /** In xapi's words where refused. */
  readonly error: readonly string[]
  /** Why it said nothing. */
  readonly why: string
}

export interface Installed {
  readonly record: InstalledCertificate
  /** Where its bytes are known. */
  readonly certificate: X509Certificate | undefined
}

export interface View {
  readonly evidence: Evidence
  readonly pool: PoolEvidence | undefined
  /** The host part of `wlb_url`, or what the appliance was asked by. */
  readonly name: string
  readonly port: number
  /** What the port answered from here. */
  readonly facts: AnsweredFacts | undefined
  readonly served: readonly X509Certificate[]
  readonly leaf: X509Certificate | undefined
  /** The time that is asked about, by the clock of this machine. */
  readonly now: Date
  readonly isForecast: boolean
  /** Whether a wrong certificate is refused today. */
  readonly verifies: boolean
  readonly voices: readonly Voice[]
  /** A host has connected, whatever the flag says. */
  readonly anyConnected: boolean
  /** A host has connected and verified. */
  readonly anyVerified: boolean
  /** A host has come past the end of the path, whatever it found fault with afterwards: it trusts the right anchor. */
  readonly anyAnchored: boolean
  readonly installed: readonly Installed[]
  /** What is installed is known by fingerprint only. */
  readonly unknownAnchors: number
  readonly coordinator: HostFacts | undefined
  /** What lies on the disks that were seen, by the UUID of the host. */
  readonly disks: ReadonlyMap<string, Disk>
  /** What is to be expected of a host whose store can be loaded, and all it would find fault with. */
  readonly judge: (host: HostFacts | undefined) => PoolVerdict | undefined
  /** The same with its very disk, whatever lies there; undefined where that was not seen. */
  readonly judgeDisk: (host: HostFacts | undefined) => PoolVerdict | undefined
}

export function viewOf(evidence: Evidence): View {
  const { appliance, pool, known, at, observedAt } = evidence
  const endpoint = appliance?.endpoint
  const facts = endpoint && endpoint.state !== 'silent' && endpoint.state !== 'unreachable' ? endpoint : undefined
  const served = facts && 'certificates' in facts ? facts.certificates : []
  const now = at ?? observedAt
  const address = parseWlbAddress(pool?.facts.wlbUrl ?? '')
  const name = address?.host ?? (pool ? appliance?.name : nameWithoutPool(appliance?.name, served[0])) ?? ''
  const port = appliance?.port ?? address?.port ?? 0
  const installed = (pool?.installed ?? []).map((record) => ({
    record,
    certificate: known.get(record.fingerprintSha256),
  }))
  const verifies = pool?.facts.verifies ?? true
  const stores = storesOf(pool)
  const disks = new Map([...stores].map(([uuid, store]) => [uuid, describeDisk(store)]))
  const judgeWith = (host: HostFacts | undefined, { bundle, crls }: Pick<PoolQuestion, 'bundle' | 'crls'>) => {
    if (!facts || served.length === 0) return undefined
    return checkAsPool({ bundle, crls, name, port, now: new Date(now.getTime() + (host?.clockOffsetMs ?? 0)) }, facts)
  }
  const judgeDisk = (host: HostFacts | undefined) => {
    const store = host && stores.get(host.uuid)
    return store && judgeWith(host, { bundle: store.bundle, crls: linkedCrls(store) })
  }
  const voices = pool ? voicesOf(pool) : []
  const anyConnected = voices.some(({ said }) => said === 'accepted')
  return {
    ...{ evidence, pool, name, port, facts, served, now, verifies, voices, anyConnected, installed },
    leaf: served[0],
    isForecast: at !== undefined,
    anyVerified: verifies && anyConnected,
    anyAnchored: verifies && voices.some(isAnchored),
    unknownAnchors: installed.filter(({ certificate }) => !certificate).length,
    coordinator: pool?.hosts[0],
    disks,
    judgeDisk,
    judge: (host) => {
      const trusted = host && disks.get(host.uuid)?.trusted
      if (trusted && trusted.length > 0) return judgeDisk(host)
      return judgeWith(host, { bundle: supposedBundle(served, pool, installed), crls: undefined })
    },
  }
}

/** An address is where it was asked, and not what a pool would connect by: that question is left out. */
function nameWithoutPool(asked: string | undefined, leaf: X509Certificate | undefined): string | undefined {
  if (asked === undefined || isIP(asked) === 0 || !leaf) return asked
  const { dnsNames, commonName } = describeCertificate(leaf)
  return dnsNames.find((one) => !one.startsWith('*')) ?? commonName ?? asked
}

/** It trusts what the path ends in. */
export function isAnchored({ said, error }: Voice): boolean {
  if (said === 'accepted' || error[0] === 'WLB_AUTHENTICATION_FAILED') return true
  const [first] = defectsSaid(error)
  return first !== undefined && first !== 'LEAF_KEY_TOO_WEAK' && isStoreError(error) !== 'anchors'
}

function voicesOf({ hosts, proofs, call }: PoolEvidence): readonly Voice[] {
  return hosts.map((host, index): Voice => {
    const proof = proofs[index]
    const isCalled = index === 0 && call.kind === 'refused' && !HAS_ANSWERED.has(call.error[0])
    if (isCalled) return { host, said: 'refused', error: call.error, why: '' }
    if (proof?.kind === 'accepted') return { host, said: 'accepted', error: [], why: '' }
    if (proof?.kind === 'refused') return { host, said: 'refused', error: proof.error, why: '' }
    const why = proof?.why ?? 'it was not asked'
    const hasAnswered = index === 0 && (call.kind === 'answered' || isAnswer(call))
    return { host, said: hasAnswered ? 'accepted' : 'nothing', error: [], why: hasAnswered ? '' : why }
  })
}

const NOT_TRIED: readonly string[] = ['LICENSE_RESTRICTION', 'WLB_NOT_INITIALIZED', 'WLB_DISABLED']
/** Errors of an appliance that was reached, and of a pool that did not try. */
const HAS_ANSWERED = new Set(['WLB_INTERNAL_ERROR', 'WLB_MALFORMED_RESPONSE', ...NOT_TRIED])

function isAnswer(call: PoolEvidence['call']): boolean {
  return call.kind === 'refused' && HAS_ANSWERED.has(call.error[0]) && !NOT_TRIED.includes(call.error[0])
}

/** The certificates known to be installed; without a pool, whatever would make the chain trusted. */
function supposedBundle(
  served: readonly X509Certificate[],
  pool: PoolEvidence | undefined,
  installed: readonly Installed[],
): Buffer | undefined {
  const known = installed.flatMap(({ certificate }) => certificate ?? [])
  const anchors = pool ? known : served.filter(isSelfSigned)
  return anchors.length === 0 ? undefined : Buffer.from(anchors.map(String).join('\n'))
}

function storesOf(pool: PoolEvidence | undefined): ReadonlyMap<string, StoreOnDisk> {
  const sights = [...(pool?.stores ?? [])]
  return new Map(sights.flatMap(([uuid, sight]) => (sight.state === 'seen' ? [[uuid, sight.store]] : [])))
}

/** Whether a fingerprint is among those installed. */
export function isInstalled({ installed }: View, certificate: X509Certificate): boolean {
  return installed.some(({ record }) => record.fingerprintSha256 === certificate.fingerprint256)
}

export function installedAs({ installed }: View, certificate: X509Certificate): string | undefined {
  return installed.find(({ record }) => record.fingerprintSha256 === certificate.fingerprint256)?.record.name
}
