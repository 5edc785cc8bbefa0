/** One line of the table: ours against the peer's, and what keeps ours from being better. */
export interface Row {
  readonly what: string
  readonly ours: string
  readonly peer: string
  readonly ratio: string
  readonly limit: string
}
