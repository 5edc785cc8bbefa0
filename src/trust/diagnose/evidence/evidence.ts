/** Everything a diagnosis is made from, gathered before: `diagnose` itself does no I/O. */
import type { X509Certificate } from 'node:crypto'
import type { SettingChange } from '../../../config/index.js'
import type { HostProof, Observation } from '../../connection/connection.js'

/** What was observed, and what only the doctor asks. */
export interface Evidence extends Observation {
  /** In the order of the hosts. */
  readonly proofs: readonly HostProof[]
  readonly call: CallOutcome
  /** The error of a question for advice, where the pool is set to ask for some; empty where it was answered, or not asked. */
  readonly adviceError: readonly string[]
  /** Whether the coordinator can resolve the appliance's name, where that was worth asking. */
  readonly nameOnCoordinator: 'known' | 'unknown' | 'not asked'
  /** The files of an appliance on this machine, if it is the one that is asked, or the only one known. */
  readonly local: LocalFacts | undefined
  /** The time that is asked about, where it is not now. */
  readonly at: Date | undefined
  /** What could not be asked, in sentences. */
  readonly notAsked: readonly string[]
}

/** A real call through the pool: pool.retrieve_wlb_configuration. */
export type CallOutcome =
  | { readonly kind: 'answered'; readonly configuration: Readonly<Record<string, string>> }
  | { readonly kind: 'refused'; readonly error: readonly [code: string, ...params: string[]] }
  | { readonly kind: 'not asked'; readonly why: string }

export interface LocalFacts {
  readonly certificateFile: string
  readonly keyFile: string
  /** Permission bits of the key; undefined where there is none. */
  readonly keyMode: number | undefined
  /** Why the pair cannot be served. */
  readonly fault: LocalFault | undefined
  /** In the order of the file, as far as they can be read. */
  readonly onDisk: readonly X509Certificate[]
  /** As set up, which is what pools connect to. */
  readonly hostname: string
  readonly running: boolean
  /** Of the running appliance. */
  readonly pid?: number
  /** 0 where the settings do not tell. */
  readonly port: number
  readonly settingsFile: string
  readonly nextStart: {
    /** Why it will fail. */
    readonly faults: readonly { readonly code: string; readonly message: string; readonly remedy: string }[]
    /** What it takes over that the running appliance does otherwise. */
    readonly changed: readonly SettingChange[]
  }
  /** The command that makes a TLS proxy in front of the appliance reload its certificate, if there is one. */
  readonly frontReload?: string
  /** Of certificates this appliance has had before. */
  readonly formerSha256: readonly string[]
  /** Whether it is the appliance that was asked. */
  readonly isAsked: boolean
}

export interface LocalFault {
  readonly kind: 'root first' | 'joined' | 'key of another' | 'key encrypted' | 'key unreadable' | 'other'
  readonly message: string
  readonly remedy: string
}
