/** Values derived once from the evidence, shared by all checks. */

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { AnsweredFacts, PoolVerdict } from '../../../tls/index.js'
import { describeCertificate } from '../../../x509/index.js'
import {
  type HostFacts,
  type InstalledCertificate,
  judgeWlbError,
  type PoolFacts,
  parseWlbAddress,
} from '../../../xapi/index.js'
import type { Observation } from '../../connection/connection.js'
import { type Disk, describeDisk } from '../../connection/disks.js'
import { verdictOf } from '../../connection/predict.js'
import type { Evidence } from './evidence.js'
import { defectsSaid, isStoreError } from './refusal-defects.js'

/** The outcome of a host's own connection to the appliance. For the coordinator the pool's call counts too. */
export interface HostResult {
  readonly host: HostFacts
  readonly outcome: 'accepted' | 'refused' | 'nothing'
  /** xapi's error where refused. */
  readonly error: readonly string[]
  /** Why there is no outcome. */
  readonly why: string
}

export interface Installed {
  readonly record: InstalledCertificate
  /** Where its bytes are known. */
  readonly certificate: X509Certificate | undefined
}

export interface View {
  readonly evidence: Evidence
  readonly pool: PoolFacts | undefined
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
  readonly results: readonly HostResult[]
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
  const address = parseWlbAddress(pool?.wlbUrl ?? '')
  const name = address?.host ?? (pool ? appliance?.name : nameWithoutPool(appliance?.name, served[0])) ?? ''
  const port = appliance?.port ?? address?.port ?? 0
  const installed = evidence.installed.map((record) => ({
    record,
    certificate: known.get(record.fingerprintSha256),
  }))
  const verifies = pool?.verifies ?? true
  const stores = [...(evidence.stores ?? [])].flatMap(([uuid, sight]): [string, Disk][] =>
    sight.state === 'seen' ? [[uuid, describeDisk(sight.store)]] : [],
  )
  const disks = new Map(stores)
  const { stores: _, ...recorded } = evidence
  const judgeFrom = (observation: Observation, host: HostFacts | undefined) =>
    served.length === 0 ? undefined : verdictOf(observation, host, { name, now })
  const results = pool ? resultsOf(evidence) : []
  const anyConnected = results.some(({ outcome }) => outcome === 'accepted')
  return {
    evidence,
    pool,
    name,
    port,
    facts,
    served,
    now,
    verifies,
    results,
    anyConnected,
    installed,
    leaf: served[0],
    isForecast: at !== undefined,
    anyVerified: verifies && anyConnected,
    anyAnchored: verifies && results.some(isAnchored),
    unknownAnchors: installed.filter(({ certificate }) => !certificate).length,
    coordinator: evidence.hosts[0],
    disks,
    judgeDisk: (host) => (host && disks.has(host.uuid) ? judgeFrom(evidence, host) : undefined),
    judge: (host) => {
      const isUsable = host && (disks.get(host.uuid)?.trusted.length ?? 0) > 0
      return judgeFrom(isUsable ? evidence : recorded, host)
    },
  }
}

/** An address is where it was asked, and not what a pool would connect by: that question is left out. */
function nameWithoutPool(asked: string | undefined, leaf: X509Certificate | undefined): string | undefined {
  if (asked === undefined || isIP(asked) === 0 || !leaf) return asked
  const { dnsNames, commonName } = describeCertificate(leaf)
  return dnsNames.find((one) => !one.startsWith('*')) ?? commonName ?? asked
}

/** Whether it trusts the anchor the path ends in. */
export function isAnchored({ outcome, error }: HostResult): boolean {
  if (outcome === 'accepted' || error[0] === 'WLB_AUTHENTICATION_FAILED') return true
  const [first] = defectsSaid(error)
  return first !== undefined && first !== 'LEAF_KEY_TOO_WEAK' && isStoreError(error) !== 'anchors'
}

function resultsOf({ hosts, proofs, call }: Evidence): readonly HostResult[] {
  return hosts.map((host, index): HostResult => {
    const proof = proofs[index]
    const isCalled = index === 0 && call.kind === 'refused' && judgeWlbError(call.error[0]) === 'failed'
    if (isCalled) return { host, outcome: 'refused', error: call.error, why: '' }
    if (proof?.kind === 'accepted') return { host, outcome: 'accepted', error: [], why: '' }
    if (proof?.kind === 'refused') return { host, outcome: 'refused', error: proof.error, why: '' }
    const why = proof?.why ?? 'it was not asked'
    const isAnswer = call.kind === 'refused' && judgeWlbError(call.error[0]) === 'answered'
    const hasAnswered = index === 0 && (call.kind === 'answered' || isAnswer)
    return { host, outcome: hasAnswered ? 'accepted' : 'nothing', error: [], why: hasAnswered ? '' : why }
  })
}

/** Whether a fingerprint is among those installed. */
export function isInstalled({ installed }: View, certificate: X509Certificate): boolean {
  return installed.some(({ record }) => record.fingerprintSha256 === certificate.fingerprint256)
}

export function installedAs({ installed }: View, certificate: X509Certificate): string | undefined {
  return installed.find(({ record }) => record.fingerprintSha256 === certificate.fingerprint256)?.record.name
}
