/**
 * What the keeper of renewals asks of somebody who may log in to pools: that they trust a new anchor before it is served. The
 * appliance itself knows nothing of how that is done.
 */

/** Why it could not be done, and what to type. */
export interface Hindrance {
  /** The uuid of the pool that is the reason; empty where it is none of them. */
  readonly pool: string
  readonly code: string
  readonly message: string
  readonly remedy: string
}

export type Brought =
  /** The new certificate serves, and every host of every pool has proved it; `unfinished`: the old anchor is not gone yet. */
  | { readonly state: 'served'; readonly unfinished?: Hindrance }
  /** No pool verifies: none would refuse. */
  | { readonly state: 'not needed' }
  /** The certificate before serves. `isBegun`: pools were changed already, and nothing that hurts them. */
  | { readonly state: 'held'; readonly because: Hindrance; readonly isBegun: boolean }
  | { readonly state: 'interrupted' }

export interface AnchorBringer {
  /** Whether it was cut short, or could not be ended, and is to be gone on with. */
  isUnfinished(): Promise<boolean>
  /** Of what was issued and waits, or what is under way. Breaks off between two steps. */
  bring(signal: AbortSignal): Promise<Brought>
}
