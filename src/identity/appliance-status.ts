/** The state of an appliance for `wlb status`: its certificate and settings from disk, the rest from the running process. */
import { z } from 'zod'
import { WlbError } from '../base/error.js'
import { askAppliance, paths, readSettings } from '../config/index.js'
import type { Pool } from '../store/index.js'
import { type RenewalStatus, readRenewalStatus } from './acme/renewal.js'
import { describeIdentity, type Identity } from './store/certificate-report.js'

const POOL = z.object({
  uuid: z.string(),
  id: z.number(),
  address: z.string(),
  coordinatorAddress: z.string(),
  username: z.string(),
  hosts: z.number(),
  registeredAt: z.string(),
  updatedAt: z.string(),
  /** Pinned for the coordinator. */
  certificateFingerprintSha256: z.string().nullable(),
})

const RUNNING = z.object({
  listener: z.object({
    state: z.literal('running'),
    address: z.string(),
    port: z.number(),
    fingerprintSha256: z.string(),
    pid: z.number(),
    startedAt: z.string(),
  }),
  /** At the listener for pools, now; `givenUp` counts since the start. */
  connections: z.object({ open: z.number(), limit: z.number(), handshaking: z.number(), givenUp: z.number() }),
  database: z.enum(['embedded', 'server']),
  /** Why the database cannot be used, if so. */
  databaseTrouble: z.object({ since: z.string(), reason: z.string() }).nullable().default(null),
  /** Null while the database cannot say. */
  pools: z.array(POOL).nullable(),
  /** Names and addresses that pools have connected to since the start, the latest last. */
  addressesUsed: z.array(z.string()),
  log: z
    .object({
      /** Lines that could not be written since the start. */
      lostLines: z.number(),
    })
    .default({ lostLines: 0 }), // a process that was started before the program was replaced does not say
})

/** The answer of the running process on its control socket. */
export type RunningStatus = z.infer<typeof RUNNING>

export type IdentityFault = Pick<WlbError, 'code' | 'message' | 'facts' | 'remedy'>

export interface Status {
  readonly root: string
  readonly hostname: string
  /** Or why the pair on disk cannot be used; a running appliance keeps serving the one before. */
  readonly identity: Identity | { readonly error: IdentityFault }
  readonly listener:
    | RunningStatus['listener']
    | { readonly state: 'stopped'; readonly address: string; readonly port: number }
  /** Null when the appliance is stopped. */
  readonly connections: RunningStatus['connections'] | null
  readonly database: 'embedded' | 'server'
  /** Null when it can be used, or the appliance is stopped. */
  readonly databaseTrouble: RunningStatus['databaseTrouble']
  /** Null when the appliance is stopped, because only the running process knows, or its database cannot be used. */
  readonly pools: RunningStatus['pools'] | null
  /** Likewise; what pools have connected to since the start. */
  readonly addressesUsed: RunningStatus['addressesUsed'] | null
  /** Likewise. */
  readonly log: RunningStatus['log'] | null
  /** Null where no ACME authority is configured. */
  readonly renewal: RenewalStatus | null
}

/** @throws NOT_SET_UP, SETTINGS_INVALID, APPLIANCE_SILENT. */
export async function readStatus(root: string): Promise<Status> {
  const place = paths(root)
  const { hostname, address, port, databaseUrl, acme } = await readSettings(place.settings)
  const identity = await describeIdentity(root).catch(explainFault)
  const renewal = await readRenewalStatus(place, acme, new Date())
  const answer = await askAppliance(place.controlSocket)
  if (answer !== undefined) return { root, hostname, identity, ...RUNNING.parse(answer), renewal }
  const database = databaseUrl === undefined ? 'embedded' : 'server'
  return {
    root,
    hostname,
    identity,
    listener: { state: 'stopped', address, port },
    connections: null,
    database,
    databaseTrouble: null,
    pools: null,
    addressesUsed: null,
    log: null,
    renewal,
  }
}

function explainFault(error: unknown): { readonly error: IdentityFault } {
  if (!(error instanceof WlbError)) throw error
  const { code, message, facts, remedy } = error
  return { error: { code, message, facts, remedy } }
}

export function describePool(pool: Pool): z.infer<typeof POOL> {
  const { uuid, id, address, coordinatorAddress, userName, hostUuids, registeredAt, updatedAt, pins } = pool
  const pin = pins.findLast((candidate) => candidate.address === coordinatorAddress)
  return {
    uuid,
    id,
    address,
    coordinatorAddress,
    username: userName,
    hosts: hostUuids.length,
    registeredAt: registeredAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    certificateFingerprintSha256: pin?.fingerprintSha256 ?? null,
  }
}

export interface KnownPools {
  readonly registered: number
  /** What they have connected to since the start, the latest last. */
  readonly addressesUsed: readonly string[]
}

/** Null where it is not running, or does not say. */
export async function askAboutPools(root: string): Promise<KnownPools | null> {
  try {
    const { pools, addressesUsed } = await readStatus(root)
    return pools && addressesUsed && { registered: pools.length, addressesUsed }
  } catch (error) {
    if (error instanceof WlbError) return null
    throw error
  }
}
