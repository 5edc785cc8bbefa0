/** What a diagnosis is made of: findings in the order in which they are to be mended (docs/doctor.md). */

export type Severity = 'error' | 'warning' | 'note'

/** What the connection fails by, as the procedure for troubleshooting decides it. */
export type Blame = 'none' | 'certificate' | 'credentials' | 'network' | 'unknown'

export interface Finding {
  /** The number of the cause in docs/causes.md; 0 where it has none. */
  readonly row: number
  readonly code: string
  /** `error`: it fails now. `warning`: it works, and is not verified, or will break. `note`: good to know. */
  readonly severity: Severity
  /** The one host it is about; empty for the pool as a whole and for the appliance. */
  readonly host: string
  /** One sentence. */
  readonly cause: string
  /** What was seen, with figures. */
  readonly evidence: string
  /** A command that can be pasted. */
  readonly remedy: string
}

export interface Diagnosis {
  /** Nothing fails, and everything that works is verified. */
  readonly healthy: boolean
  readonly blame: Blame
  /** The error a call through the pool ends with: its code, then its parameters; empty when it succeeds. */
  readonly predicted: readonly string[]
  /** The first is the one to mend first. */
  readonly findings: readonly Finding[]
  /** What could not be checked, in sentences. */
  readonly notSeen: readonly string[]
}

/** A finding as the one who found it states it: what is not said is taken from the catalogue. */
export interface Draft {
  readonly code: string
  readonly severity?: Severity
  /** Names; none for the pool as a whole. */
  readonly hosts?: readonly string[]
  readonly cause?: string
  readonly evidence: string
  readonly remedy?: string
  /** The error of the pool while this is the first thing it meets. */
  readonly error?: readonly string[]
}
