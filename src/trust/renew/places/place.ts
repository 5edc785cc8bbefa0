/**
 * Where the certificate lives that a renewal exchanges: in the folder of an appliance on this machine, or on another machine
 * that is reached over SSH. Everything else about a renewal is the same (docs/renewal.md).
 */
import type { X509Certificate } from 'node:crypto'
import type { ServedIdentity } from '../../../tls/index.js'
import type { Connection } from '../../connection/connection.js'
import type { OrderOf, Step, StepOrder } from '../../run/steps/step.js'
import type { NextIdentity } from '../next-identity.js'

export type IdentityOrder = OrderOf<'identity'>

/** What an operator gives: certificates of an authority, and the key where it has to be. */
export interface GivenFiles {
  readonly files: readonly string[]
  readonly keyFile: string | undefined
  readonly passphrase: string | undefined
}

export interface NextQuestion extends GivenFiles {
  /** What the pool connects to afterwards, and now. */
  readonly name: string
  readonly currentName: string
  readonly port: number
  readonly now: Date
}

export interface FoundIdentity {
  /** Of the pair in place. */
  readonly name: string
  /** The certificates of its file, as far as they may be wanted. */
  readonly certificates: readonly X509Certificate[]
  /** Identifiers of the pools that connect to the appliance; undefined where that cannot be seen from here. */
  readonly pools: readonly string[] | undefined
}

/** The appliance as it is asked from here, and what it serves. */
export interface SeenHere {
  readonly appliance: Connection['appliance']
  readonly leaf: X509Certificate
}

export interface IdentityPlace {
  /** The folder, where it is on this machine. */
  readonly localRoot: string | undefined
  /** Whether a renewal that was cut short is of this place; where nobody said which, it is. */
  mayGoOn(order: IdentityOrder): boolean
  /** @throws RENEW_NEEDS_APPLIANCE, RENEW_OTHER_APPLIANCE, and what reaching it throws. */
  find(connection: Connection): Promise<FoundIdentity>
  /** Reads or makes what is to serve next. @throws what is wrong with it */
  next(question: NextQuestion, found: FoundIdentity, inPlace: X509Certificate): Promise<NextIdentity>
  /** Drops new pairs that were kept for a renewal which was killed before it wrote anything down; `open` is what was written. */
  tidy(open: readonly StepOrder[], now: Date): Promise<void>
  /** The exchange as a journal keeps it; the new pair is kept until then, where there is a safe place for its key. */
  keep(next: NextIdentity, found: FoundIdentity, seen: SeenHere): Promise<IdentityOrder>
  /** What is to be served, for whoever goes on; undefined where it is kept, or in service already. */
  again(order: IdentityOrder, given: GivenFiles): Promise<ServedIdentity | undefined>
  /** In service, or not wanted any more. */
  drop(order: IdentityOrder): Promise<void>
  exchange(order: IdentityOrder, identity: ServedIdentity | undefined): Exchange
}

export type Exchange = Pick<Step, 'command' | 'check' | 'do' | 'undo'>
