/** The settings of the pool's connection to WLB, read from its database (docs/protocol/pool.md, WLB). */
import { z } from 'zod'
import { ApiFailure, isApiMap } from '../../xapi/index.js'
import { isOldPool } from '../database/records.js'
import type { Coordinator, LabHost } from '../host/host.js'

const schema = z.object({
  url: z.string(),
  userName: z.string(),
  password: z.string(),
  verify: z.boolean(),
  pinsLeaf: z.boolean(),
  poolUuid: z.string(),
  timeoutMs: z.number(),
  reportTimeoutMs: z.number(),
})

type WlbSettings = Readonly<z.infer<typeof schema>>

const WLB_PASSWORD = 'wlb_password'
const DEFAULT_TIMEOUT_S = 30
const DEFAULT_REPORT_TIMEOUT_S = 600

/**
 * Checks in the pool's order: licence, then an address, then (where it matters) that WLB is switched on.
 *
 * @throws ApiFailure LICENSE_RESTRICTION, WLB_NOT_INITIALIZED or WLB_DISABLED.
 */
export function readWlbSettings(coordinator: Coordinator, needsEnabled: boolean): WlbSettings {
  assertLicensed(coordinator)
  const { record } = coordinator.database.pool
  if (record.wlb_url === '') throw new ApiFailure('WLB_NOT_INITIALIZED', [])
  if (needsEnabled && record.wlb_enabled !== true) throw new ApiFailure('WLB_DISABLED', [])
  return currentWlbSettings(coordinator)
}

/** The same on any host: a member asks its coordinator. `as-is` leaves the checks out. */
export async function fetchWlbSettings({ role, callPool }: LabHost, checks: 'checked' | 'as-is'): Promise<WlbSettings> {
  if (role.kind === 'member') return schema.parse(await callPool(role.coordinatorAddress, 'lab.wlb_settings', [checks]))
  return checks === 'checked' ? readWlbSettings(role, false) : currentWlbSettings(role)
}

/** The settings as they are, checked for nothing. */
export function currentWlbSettings({ database }: Coordinator): WlbSettings {
  const { record } = database.pool
  const secret = database.find('secret', database.internal(WLB_PASSWORD))
  return {
    url: String(record.wlb_url),
    userName: String(record.wlb_username),
    password: String(secret?.value ?? ''),
    verify: record.wlb_verify_cert === true,
    pinsLeaf: isOldPool(database),
    poolUuid: String(record.uuid),
    timeoutMs: secondsOf(record.other_config, 'wlb_timeout', DEFAULT_TIMEOUT_S) * 1000,
    reportTimeoutMs: secondsOf(record.other_config, 'wlb_reports_timeout', DEFAULT_REPORT_TIMEOUT_S) * 1000,
  }
}

/** Stores a connection that has just worked; the previous password is removed. */
export function storeWlbSettings({ database }: Coordinator, url: string, userName: string, password: string): void {
  const older = database.internal(WLB_PASSWORD)
  const secret = database.create('secret', { value: password })
  database.setInternal(WLB_PASSWORD, secret)
  database.update('pool', database.pool.ref, { wlb_url: url, wlb_username: userName })
  database.destroy('secret', older)
}

/** Forgets the connection and switches WLB off; verification stays as it is. */
export function clearWlbSettings({ database }: Coordinator): void {
  database.destroy('secret', database.internal(WLB_PASSWORD))
  database.setInternal(WLB_PASSWORD, '')
  database.update('pool', database.pool.ref, { wlb_url: '', wlb_username: '', wlb_enabled: false })
}

/** @throws ApiFailure LICENSE_RESTRICTION when the pool's licence leaves WLB out. */
export function assertLicensed({ database }: Coordinator): void {
  const { restrictions } = database.pool.record
  const restricted = restrictions !== undefined && isApiMap(restrictions) && restrictions.restrict_wlb === 'true'
  if (restricted) throw new ApiFailure('LICENSE_RESTRICTION', ['WLB'])
}

/** A value that is not a number counts as not set. */
function secondsOf(otherConfig: unknown, key: string, otherwise: number): number {
  const entries = new Map(typeof otherConfig === 'object' && otherConfig !== null ? Object.entries(otherConfig) : [])
  const text = String(entries.get(key) ?? '').trim()
  return /^\d+(\.\d*)?(e[-+]?\d{1,2})?$/i.test(text) ? Number(text) : otherwise
}
