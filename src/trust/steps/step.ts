/**
 * What a plan is made of. An order is data, so that a journal can keep it and any later process can go on with it or take
 * it back; a step is an order that can be carried out on a pool (docs/trust.md).
 */
import { z } from 'zod'
import type { Connection, HostVerdict } from '../connection.js'
import type { PoolSession } from '../pool-session.js'

const BASE = { id: z.string() }
const CERTIFICATE = { name: z.string(), fingerprintSha256: z.string() }

const INSTALL = z.object({
  ...BASE,
  kind: z.literal('install'),
  ...CERTIFICATE,
  pem: z.string(),
  role: z.enum(['self-signed', 'root', 'intermediate', 'leaf']),
})
const UNINSTALL = z.object({
  ...BASE,
  kind: z.literal('uninstall'),
  ...CERTIFICATE,
  /** Null where nobody here knows the bytes: then it cannot be brought back. */
  pem: z.string().nullable(),
})
const INSTALL_CRL = z.object({ ...BASE, kind: z.literal('install-crl'), name: z.string(), pem: z.string() })
const LIST = z.object({ ...BASE, kind: z.literal('list'), isDue: z.boolean(), fingerprints: z.array(z.string()) })
const SYNC = z.object({ ...BASE, kind: z.literal('sync'), isDue: z.boolean() })
const VERIFICATION = z.object({
  ...BASE,
  kind: z.literal('verification'),
  poolUuid: z.string(),
  value: z.boolean(),
  before: z.boolean(),
})
const CONNECT = z.object({
  ...BASE,
  kind: z.literal('connect'),
  url: z.string(),
  userName: z.string(),
  /** Empty where the pool was not connected. */
  before: z.object({ url: z.string(), userName: z.string(), verifies: z.boolean() }),
})
/** Of the appliance in `root`: `staged` is the pair to be served, `before` the one it replaces, by their names in the history. */
const IDENTITY = z.object({
  ...BASE,
  kind: z.literal('identity'),
  root: z.string(),
  staged: z.string(),
  before: z.string(),
  how: z.enum(['install', 'self-signed']),
})
const PROVE = z.object({ ...BASE, kind: z.literal('prove'), isDue: z.boolean(), name: z.string() })
const ASK = z.object({ ...BASE, kind: z.literal('ask'), isDue: z.boolean() })

export const STEP_ORDER = z.discriminatedUnion('kind', [
  INSTALL,
  UNINSTALL,
  INSTALL_CRL,
  LIST,
  SYNC,
  VERIFICATION,
  CONNECT,
  IDENTITY,
  PROVE,
  ASK,
])

export type StepOrder = Readonly<z.infer<typeof STEP_ORDER>>
export type OrderOf<Kind extends StepOrder['kind']> = Extract<StepOrder, { readonly kind: Kind }>

export interface PlannedStep {
  readonly order: StepOrder
  readonly state: 'planned' | 'already'
}

/** `unseen`: nothing that can be asked tells, so the step is carried out, and its own answer is what counts. */
export type Check = 'holds' | 'open' | 'unseen'

export interface Step {
  readonly id: string
  readonly title: string
  /** As an operator would type it. */
  readonly command: string
  readonly order: StepOrder
  check(): Promise<Check>
  /** Leaves what it promises, however often it is called. @throws ApiFailure, WlbError */
  do(): Promise<void>
  /** Leaves what was there before; called for what was never done, it does nothing. @throws ApiFailure, WlbError */
  undo(): Promise<void>
}

/** Everything a step needs beside its order. */
export interface World {
  readonly session: PoolSession
  /** Looks at pool and appliance anew. */
  readonly observe: () => Promise<Connection>
  /** Hosts that are down are left behind, instead of standing in the way. */
  readonly allowDown: boolean
  /** Of the pool, for the appliance to log in with. */
  readonly poolUser: { readonly userName: string; readonly password: string }
  /** Of the account on the appliance; undefined where nobody gave it. */
  readonly wlbPassword: string | undefined
  /** What is said of each host, as soon as the hosts were asked. */
  readonly onVerdicts?: (verdicts: readonly HostVerdict[]) => void
}
