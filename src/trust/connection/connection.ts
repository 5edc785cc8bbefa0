/**
 * The one fact everything in this room is about: a verified connection, spread over pool, hosts and appliance. `observe`
 * makes it and changes nothing; the rest are functions on it (docs/trust.md).
 */
import type { X509Certificate } from 'node:crypto'
import type { Status } from '../../identity/index.js'
import type { EndpointFacts } from '../../tls/index.js'
import type { HostFacts, InstalledCertificate, PoolFacts } from '../../xapi/pool/pool-records.js'
import type { StoresSeen } from './disks.js'

export interface Connection {
  readonly pool: PoolFacts
  /** The coordinator first. */
  readonly hosts: readonly HostFacts[]
  /** Of the legacy store, which is the one WLB uses: what the pool's database believes, not what a disk holds. */
  readonly installed: readonly InstalledCertificate[]
  /** Names of revocation lists on the coordinator's disk; undefined where the session may not ask. */
  readonly crls: readonly string[] | undefined
  readonly appliance: ApplianceFacts
  /** What came of looking at the hosts' disks; undefined where nobody logged in. */
  readonly stores?: StoresSeen
  /** Certificates whose bytes are known here, by SHA-256 as upper-case hex with colons: the pool tells fingerprints only. */
  readonly known: ReadonlyMap<string, X509Certificate>
  readonly observedAt: Date
}

export interface ApplianceFacts {
  /** Where it was asked. */
  readonly host: string
  readonly port: number
  /** The name it was asked by, and a pool asks by: the host part of `wlb_url`, or `host` where there is none. */
  readonly name: string
  readonly endpoint: EndpointFacts
  /** What `name` resolves to from here; empty where it does not. */
  readonly resolved: readonly string[]
  /** The appliance's clock less ours, by the Date of an answer; undefined where there was none. */
  readonly clockOffsetMs: number | undefined
  /** What the appliance says of itself, where it runs on this machine. */
  readonly local: Status | undefined
}

/** What a host found when it connected itself, or why it was not asked. */
export type HostProof =
  | { readonly kind: 'accepted'; readonly tookMs: number }
  /** In xapi's words: code and parameters. */
  | { readonly kind: 'refused'; readonly error: readonly [code: string, ...params: string[]]; readonly tookMs: number }
  | { readonly kind: 'not asked'; readonly why: string }

/** What is to be expected of a host, from what is known here. */
export type Prediction =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string }

/** The sentence that counts for a host: its own where it spoke, else what is predicted. */
export interface HostVerdict {
  readonly host: string
  readonly verdict: 'accepted' | 'refused' | 'unknown'
  readonly proof: 'host' | 'predicted'
  /** xapi's error where refused, else empty. */
  readonly error: readonly string[]
  /** Why it is no more than a prediction, or why nobody knows; empty otherwise. */
  readonly why: string
}
