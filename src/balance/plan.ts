/** A plan, `openwlb-plan/1`: what `optimise` answers, and what `wlb balance plan --json` prints. */

export type Severity = 'None' | 'Low' | 'Medium' | 'High' | 'Critical'

/** Why a VM moves; the names are the protocol's, except Rule and Evacuate. */
export type Reason =
  | 'Cpu'
  | 'Memory'
  | 'DiskRead'
  | 'DiskWrite'
  | 'NetworkRead'
  | 'NetworkWrite'
  | 'Consolidate'
  | 'Rule'
  | 'Evacuate'

/** The state of a pool in four numbers, expected for the next hour. */
export interface Figures {
  /** Congested host-minutes per minute (`congestionOf`). */
  readonly congestion: number
  /** Host-minutes over 90 % of any resource. */
  readonly minutesOver90: number
  readonly minutesOver765: number
  readonly hostsOn: number
}

export interface Move {
  /** uuids */
  readonly vm: string
  readonly from: string
  readonly to: string
  readonly reason: Reason
  /** A sentence with the numbers. */
  readonly why: string
  /** Congested host-minutes saved over the horizon. */
  readonly gain: number
  /** Of the migration, in the same unit. */
  readonly cost: number
  /** How long the migration is expected to take. */
  readonly seconds: number
}

export interface PowerStep {
  readonly host: string
  readonly action: 'on' | 'off'
  /** The number of moves that come before it. */
  readonly after: number
}

/** What should be different and cannot be: a VM or a host, the code xapi would give, a sentence. */
export type Stuck = { readonly code: string; readonly why: string } & (
  | { readonly vm: string }
  | { readonly host: string }
)

export interface Plan {
  readonly format: 'openwlb-plan/1'
  /** `cannot`: something must be repaired, and no step of it is possible. */
  readonly verdict: 'nothing-to-do' | 'plan' | 'cannot'
  readonly because: string
  readonly severity: Severity
  readonly before: Figures
  readonly after: Figures
  /** In the order in which they are carried out; every prefix is feasible. */
  readonly moves: readonly Move[]
  readonly power: readonly PowerStep[]
  readonly stuck: readonly Stuck[]
}
