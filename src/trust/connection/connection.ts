/**
 * A verified connection between a pool and its appliance, as it was read: `observe` makes it and changes nothing, and
 * `predict`, `diagnose` and `plan` are functions of it (docs/trust.md).
 */
import type { X509Certificate } from 'node:crypto'
import type { HostAddress } from '../../base/names/host-address.js'
import type { Status } from '../../identity/index.js'
import type { EndpointFacts } from '../../tls/index.js'
import type { HostFacts, InstalledCertificate, PoolFacts } from '../../xapi/index.js'
import type { StoresSeen } from './disks.js'

/** What was read; the pool or the appliance may be missing. */
export interface Observation {
  /** Undefined where no pool was asked: then there are no hosts, and nothing is known to be installed. */
  readonly pool: PoolFacts | undefined
  /** The coordinator first. */
  readonly hosts: readonly HostFacts[]
  /** In the legacy store, the one WLB uses, as the pool's database records it; a host's disk may differ. */
  readonly installed: readonly InstalledCertificate[]
  /** Names of revocation lists on the coordinator's disk; undefined where the session may not ask. */
  readonly crls: readonly string[] | undefined
  /** Undefined where its address is not known. */
  readonly appliance: ApplianceFacts | undefined
  /** The hosts' trust stores on disk; undefined where nobody logged in. */
  readonly stores?: StoresSeen
  /** Certificates whose bytes are known here, by SHA-256 as upper-case hex with colons: the pool lists fingerprints only. */
  readonly known: ReadonlyMap<string, X509Certificate>
  readonly observedAt: Date
}

/** Both sides were found. */
export interface Connection extends Observation {
  readonly pool: PoolFacts
  readonly appliance: ApplianceFacts
}

export interface ApplianceFacts {
  /** Where it was asked. */
  readonly host: HostAddress
  readonly port: number
  /** The name the pool connects by: the host part of `wlb_url`; while it is not connected, the name it would use. */
  readonly name: string
  readonly endpoint: EndpointFacts
  /** What `name` resolves to from here; empty where it does not. */
  readonly resolved: readonly string[]
  /** The appliance's clock less ours, by the Date of an answer; undefined where there was none. */
  readonly clockOffsetMs: number | undefined
  /** What the appliance says of itself, where it runs on this machine. */
  readonly local: Status | undefined
}

/** What a host reported when it connected itself, or why it was not asked. */
export type HostProof =
  | { readonly kind: 'accepted'; readonly tookMs: number }
  /** As xapi reports it: code and parameters. */
  | { readonly kind: 'refused'; readonly error: readonly [code: string, ...params: string[]]; readonly tookMs: number }
  | { readonly kind: 'not asked'; readonly why: string }

/** What a host would say, as calculated from what is known here. */
export type Prediction =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string }

/** The verdict of one host: its own answer where it gave one, else the prediction. */
export interface HostVerdict {
  readonly host: string
  readonly verdict: 'accepted' | 'refused' | 'unknown'
  readonly proof: 'host' | 'predicted'
  /** xapi's error where refused, else empty. */
  readonly error: readonly string[]
  /** Why it is only a prediction, or why it is unknown; empty otherwise. */
  readonly why: string
}
