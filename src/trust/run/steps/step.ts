/**
 * Orders and steps. An order is data, so that a journal can keep it and a later process can resume or undo it; a step is an
 * order that can be carried out on a pool (docs/trust.md).
 */
import { z } from 'zod'
import type { ServedIdentity } from '../../../tls/index.js'
import type { PoolSession } from '../../../xapi/index.js'
import type { Connection, HostVerdict } from '../../connection/connection.js'
import type { SshReach } from '../../remote/replace-over-ssh.js'

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
  /** Null where its bytes are not known: then an undo cannot install it again. */
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
/** Of an appliance that is reached over SSH. The key is no part of it. */
const OVER_SSH = z.object({
  target: z.string(),
  restartCommand: z.string(),
  /** Where what is served is seen from here. */
  endpoint: z.object({ address: z.string(), port: z.number(), serverName: z.string() }),
  /** To be served, the leaf first. */
  certificatePem: z.string(),
  /** SHA-256 of the leaf that was. */
  servedBefore: z.string(),
})
/** Of the appliance in `root`: `staged` is the pair to be served, `before` the one it replaces, by the names its place has for them. */
const IDENTITY = z.object({
  ...BASE,
  kind: z.literal('identity'),
  root: z.string(),
  staged: z.string(),
  before: z.string(),
  how: z.enum(['install', 'self-signed', 'acme']),
  /** Where the appliance is not on this machine. */
  over: OVER_SSH.optional(),
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

/** `unseen`: no call can tell, so the step is carried out and its own answer counts. */
export type Check = 'holds' | 'open' | 'unseen'

export interface Step {
  readonly id: string
  readonly title: string
  /** As an operator would type it. */
  readonly command: string
  readonly order: StepOrder
  check(): Promise<Check>
  /** Carries the step out; idempotent. @throws ApiFailure, WlbError */
  do(): Promise<void>
  /** Restores what was there before; does nothing where the step was never done. @throws ApiFailure, WlbError */
  undo(): Promise<void>
}

/** Everything a step needs in addition to its order. */
export interface StepContext {
  readonly session: PoolSession
  /** Reads pool and appliance again. */
  readonly observe: () => Promise<Connection>
  /** Continues although hosts are down; they stay without the change. */
  readonly allowDown: boolean
  /** Of the pool, for the appliance to log in with. */
  readonly poolUser: { readonly userName: string; readonly password: string }
  /** Of the account on the appliance; undefined where it was not given. */
  readonly wlbPassword: string | undefined
  /** Where an appliance may be on another machine. */
  readonly ssh?: SshReach
  /** What is to be served, where it is not kept with the appliance until then. */
  readonly identity?: ServedIdentity
  /** Runs without an operator: every host has to prove itself, a prediction is not enough. */
  readonly isUnattended?: boolean
  /** Called with the verdicts as soon as the hosts were asked. */
  readonly onVerdicts?: (verdicts: readonly HostVerdict[]) => void
}
