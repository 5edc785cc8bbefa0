/** The state of an appliance for `wlb status`: its certificate and settings from disk, the rest from the running process. */
import { z } from 'zod'
import { WlbError } from '../base/error.js'
import {
  askAppliance,
  compareSettings,
  paths,
  readSettings,
  SETTINGS_IN_USE,
  type SettingChange,
  settingsInUse,
} from '../config/index.js'
import type { Pool } from '../store/index.js'
import { foreseePortInUse } from '../tls/index.js'
import { standingAt } from '../x509/index.js'
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
  /** What it works with; null where it was started before the program could say. */
  settings: SETTINGS_IN_USE.nullable().default(null),
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
  /** Likewise; what it works with, where the file may say another thing. */
  readonly settings: RunningStatus['settings']
  readonly nextStart: NextStart
  /** Null where no ACME authority is configured. */
  readonly renewal: RenewalStatus | null
}

/**
 * Whether a pool that calls now is served, and one that verifies too: the appliance runs, its database can be used, and its
 * certificates are in their dates and speak for the name pools connect to.
 */
export function servesPools({ listener, databaseTrouble, identity }: Status, now: Date): boolean {
  if (listener.state === 'stopped' || databaseTrouble || 'error' in identity) return false
  const isNamed = identity.missingNames.every(({ of }) => of !== 'settings')
  return isNamed && [identity, ...identity.chain].every((one) => standingAt(one, now) === 'in its dates')
}

/** What the next start makes of the settings on disk. */
export interface NextStart {
  /** Why it will fail: the settings cannot be used, or somebody else has the port; null where nothing is seen that is in its way. */
  readonly fault: IdentityFault | null
  /** What the running appliance does otherwise now; empty where none runs. */
  readonly changed: readonly SettingChange[]
}

/**
 * Settings that cannot be used any more are told as a fault of the next start while an appliance runs that was started with others.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, APPLIANCE_SILENT.
 */
export async function readStatus(root: string): Promise<Status> {
  const place = paths(root)
  const onDisk = await readSettings(place.settings).catch((error: unknown) => {
    if (error instanceof WlbError && error.code === 'SETTINGS_INVALID') return error
    throw error
  })
  const answer = await askAppliance(place.controlSocket)
  const running = answer === undefined ? undefined : RUNNING.parse(answer)
  if (onDisk instanceof WlbError) {
    if (!running?.settings) throw onDisk
    const { hostname } = running.settings
    const identity = await describeIdentity(root, { hostname }).catch(explainFault)
    return { root, hostname, identity, ...running, nextStart: { fault: faultOf(onDisk), changed: [] }, renewal: null }
  }
  const { hostname, address, port, databaseUrl, acme } = onDisk
  const identity = await describeIdentity(root).catch(explainFault)
  const renewal = await readRenewalStatus(place, acme, new Date())
  if (running) {
    const changed = running.settings ? compareSettings(running.settings, settingsInUse(onDisk)) : []
    const isMoved = changed.some(({ key }) => key === 'address' || key === 'port')
    const taken = isMoved ? await foreseePortInUse(address, port, running.listener.pid) : undefined
    return {
      root,
      hostname,
      identity,
      ...running,
      nextStart: { fault: taken ? faultOf(taken) : null, changed },
      renewal,
    }
  }
  const taken = await foreseePortInUse(address, port)
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
    settings: null,
    nextStart: { fault: taken ? faultOf(taken) : null, changed: [] },
    renewal,
  }
}

function explainFault(error: unknown): { readonly error: IdentityFault } {
  if (!(error instanceof WlbError)) throw error
  return { error: faultOf(error) }
}

function faultOf({ code, message, facts, remedy }: WlbError): IdentityFault {
  return { code, message, facts, remedy }
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
