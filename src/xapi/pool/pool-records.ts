/** Reads the pool's records into typed values, with only the fields WLB needs (docs/protocol/pool.md, classes). */
import { type HostAddress, readHostAddress } from '../../base/names/host-address.js'
import { type ApiValue, isApiMap, parseApiDate } from '../value.js'

export interface PoolFacts {
  readonly uuid: string
  readonly ref: string
  readonly name: string
  /** `host:port` as it was given to the pool; empty when no WLB is connected. */
  readonly wlbUrl: string
  readonly wlbUserName: string
  readonly wlbEnabled: boolean
  readonly verifies: boolean
  readonly tlsVerification: boolean
  /** Whether the pool's licence includes WLB. */
  readonly licensed: boolean
  readonly otherConfig: Readonly<Record<string, string>>
}

export interface HostFacts {
  readonly uuid: string
  readonly ref: string
  readonly name: string
  /** Empty where the pool has recorded none. */
  readonly address: HostAddress | ''
  readonly role: 'coordinator' | 'member'
  /** According to the coordinator's heartbeat. */
  readonly live: boolean
  readonly enabled: boolean
  readonly softwareVersion: Readonly<Record<string, string>>
  /** SHA-256 of the host's API certificate as the pool records it; undefined when the pool has no record of it. */
  readonly fingerprintSha256: string | undefined
  /** The host's clock minus ours, accurate to about a second; undefined when unknown. */
  readonly clockOffsetMs: number | undefined
}

export interface InstalledCertificate {
  readonly uuid: string
  readonly name: string
  /** Empty in records that an upgrade left incomplete. */
  readonly fingerprintSha256: string
  /** Whether the record has the field for the SHA-256 fingerprint and it is empty. */
  readonly lacksFingerprints?: boolean
  readonly notBefore: Date | undefined
  readonly notAfter: Date | undefined
}

export type Records = ReadonlyMap<string, ApiRecord>

/** One record. A field that is missing (in older pools) or of another type reads as empty, or as the given default. */
export class ApiRecord {
  readonly #fields: Readonly<Record<string, ApiValue>>

  constructor(fields: Readonly<Record<string, ApiValue>>) {
    this.#fields = fields
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined
  }

  text(name: string): string {
    const value = this.#fields[name]
    return typeof value === 'string' ? value : ''
  }

  flag(name: string, otherwise = false): boolean {
    const value = this.#fields[name]
    return typeof value === 'boolean' ? value : otherwise
  }

  time(name: string): Date | undefined {
    const value = this.#fields[name]
    return value instanceof Date ? value : parseApiDate(this.text(name))
  }

  map(name: string): Readonly<Record<string, string>> {
    const value = this.#fields[name]
    if (value === undefined || !isApiMap(value)) return {}
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]))
  }

  texts(name: string): readonly string[] {
    const value = this.#fields[name]
    return Array.isArray(value) ? value.map(String) : []
  }
}

/** Reads the answer of `get_all_records`; entries that are not records are left out. */
export function readRecords(answer: ApiValue): Records {
  if (!isApiMap(answer)) return new Map()
  return new Map(
    Object.entries(answer).flatMap(([ref, value]): [string, ApiRecord][] =>
      isApiMap(value) ? [[ref, new ApiRecord(value)]] : [],
    ),
  )
}

export function readPool(ref: string, record: ApiRecord): PoolFacts {
  return {
    uuid: record.text('uuid'),
    ref,
    name: record.text('name_label'),
    wlbUrl: record.text('wlb_url'),
    wlbUserName: record.text('wlb_username'),
    wlbEnabled: record.flag('wlb_enabled'),
    verifies: record.flag('wlb_verify_cert'),
    tlsVerification: record.flag('tls_verification_enabled'),
    licensed: record.map('restrictions').restrict_wlb !== 'true',
    otherConfig: record.map('other_config'),
  }
}

/**
 * Reads the hosts, the coordinator first, the others by name. `offsets` has the clock offset in ms of each host that
 * was asked, by reference.
 *
 * @throws HOST_ADDRESS_INVALID where one is recorded that is none: a host left out would count as one that verifies.
 */
export function readHosts(
  pool: ApiRecord,
  hosts: Records,
  metrics: Records,
  certificates: Records,
  offsets: ReadonlyMap<string, number>,
): readonly HostFacts[] {
  const coordinator = pool.text('master')
  const facts = [...hosts].map(([ref, record]): HostFacts => {
    const address = record.text('address')
    const name = record.text('name_label') || record.text('hostname') || record.text('uuid')
    const role = ref === coordinator ? 'coordinator' : 'member'
    return {
      uuid: record.text('uuid'),
      ref,
      name,
      address: address === '' ? '' : readHostAddress(address, `host ${name}`),
      role,
      live: role === 'coordinator' || (metrics.get(record.text('metrics'))?.flag('live') ?? false),
      enabled: record.flag('enabled', true),
      softwareVersion: record.map('software_version'),
      fingerprintSha256: findServerFingerprint(ref, certificates),
      clockOffsetMs: offsets.get(ref),
    }
  })
  const rank = ({ role, name }: HostFacts) => `${role === 'coordinator' ? 0 : 1}${name}`
  return facts.sort((one, other) => (rank(one) < rank(other) ? -1 : 1))
}

function findServerFingerprint(host: string, certificates: Records): string | undefined {
  const own = [...certificates.values()].find(
    (record) => record.text('host') === host && (record.text('type') || 'host') === 'host',
  )
  return own && (fingerprintOf(own) || undefined)
}

/**
 * Reads the installed CA certificates that have a file name. Those without one belong to trust stores that WLB does not
 * use.
 */
export function readInstalled(certificates: Records): readonly InstalledCertificate[] {
  return [...certificates.values()]
    .filter((record) => record.text('type') === 'ca' && record.text('name') !== '')
    .map((record) => ({
      uuid: record.text('uuid'),
      name: record.text('name'),
      fingerprintSha256: fingerprintOf(record),
      lacksFingerprints: record.has('fingerprint_sha256') && record.text('fingerprint_sha256') === '',
      notBefore: record.time('not_before'),
      notAfter: record.time('not_after'),
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** Upper-case hex with colons. Pools before mid-2024 have only `fingerprint`, which may hold the SHA-256 fingerprint too. */
function fingerprintOf(record: ApiRecord): string {
  const text = (record.text('fingerprint_sha256') || record.text('fingerprint')).toUpperCase()
  return /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(text) ? text : ''
}

/**
 * Hosts verify the chain instead of the leaf since a change merged on 16 December 2024, after release 24.39. Installing an
 * unneeded leaf does no harm and a missing one does, so the first release assumed to have the change is 24.40.
 */
const CHAIN_SINCE = { date: '2024-12-16', year: 24, minor: 40 }

/**
 * Tells whether this host verifies only the leaf, which must then be installed itself. A build of unknown age counts as
 * new.
 */
export function verifiesByPeer({ softwareVersion }: Pick<HostFacts, 'softwareVersion'>): boolean {
  const [, year, minor] = /^(\d{2})\.(\d+)/.exec(softwareVersion.xapi_build ?? softwareVersion.xapi ?? '') ?? []
  if (year !== undefined && minor !== undefined) {
    return Number(year) < CHAIN_SINCE.year || (Number(year) === CHAIN_SINCE.year && Number(minor) < CHAIN_SINCE.minor)
  }
  const date = /^\d{4}-\d{2}-\d{2}/.exec(softwareVersion.date ?? '')?.[0]
  return date !== undefined && date < CHAIN_SINCE.date
}
