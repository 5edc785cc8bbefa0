/**
 * Where the certificate is that a renewal exchanges: in the folder of an appliance on this machine, or on another
 * machine that is reached over SSH. Everything else about a renewal is the same (docs/renewal.md).
 */
import type { X509Certificate } from 'node:crypto'
import type { GivenKey } from '../../../identity/index.js'
import type { ServedIdentity } from '../../../tls/index.js'
import type { NamedBytes } from '../../../x509/index.js'
import type { Connection } from '../../connection/connection.js'
import type { OrderOf, Step, StepOrder } from '../../run/steps/step.js'
import type { NextIdentity } from '../next-identity.js'

export type IdentityOrder = OrderOf<'identity'>

/** What an operator gives: certificates of an authority, and the key where one is needed. */
export interface GivenFiles extends GivenKey {
  readonly files: readonly string[]
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
  /** Its certificate file, where the next chain may need issuers from it and the place does not read it itself. */
  readonly file: NamedBytes | undefined
  /** UUIDs of the pools that connect to the appliance; undefined where that cannot be seen from here. */
  readonly pools: readonly string[] | undefined
}

/** The appliance as it is reached from here, and the leaf it serves. */
export interface SeenHere {
  readonly appliance: Connection['appliance']
  readonly leaf: X509Certificate
}

export interface IdentityPlace {
  /** The appliance's folder, where it is on this machine. */
  readonly localRoot: string | undefined
  /** Whether an interrupted renewal is of this place. */
  mayGoOn(order: IdentityOrder): boolean
  /** @throws RENEW_NEEDS_APPLIANCE, RENEW_OTHER_APPLIANCE, and what reaching it throws. */
  find(connection: Connection): Promise<FoundIdentity>
  /** Reads or makes what is to serve next. @throws what is wrong with it */
  next(question: NextQuestion, found: FoundIdentity, inPlace: X509Certificate): Promise<NextIdentity>
  /** Drops new pairs kept for a renewal that was killed before it wrote its journal; `open` are the steps in journals. */
  tidy(open: readonly StepOrder[], now: Date): Promise<void>
  /** The exchange as it is written to the journal; the new pair is kept until then, where its key can be kept safely. */
  keep(next: NextIdentity, found: FoundIdentity, seen: SeenHere): Promise<IdentityOrder>
  /** The new pair, to continue an interrupted run; undefined where it is kept, or in service already. */
  again(order: IdentityOrder, given: GivenFiles): Promise<ServedIdentity | undefined>
  /** Called when the new pair is in service, or not wanted any more. */
  drop(order: IdentityOrder): Promise<void>
  exchange(order: IdentityOrder, identity: ServedIdentity | undefined): Exchange
}

export type Exchange = Pick<Step, 'command' | 'check' | 'do' | 'undo'>
