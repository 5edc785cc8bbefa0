/** Reads the parts of a pool that steps check before and after a change. */
import {
  ApiFailure,
  type InstalledCertificate,
  isApiSet,
  type PoolFacts,
  type PoolSession,
  readInstalled,
  readPool,
  readRecords,
} from '../../../xapi/index.js'

export async function readInstalledNow(session: PoolSession): Promise<readonly InstalledCertificate[]> {
  return readInstalled(readRecords(await session.call('Certificate.get_all_records')))
}

export async function readPoolNow(session: PoolSession): Promise<PoolFacts> {
  const [first] = readRecords(await session.call('pool.get_all_records'))
  if (!first) throw new ApiFailure('INTERNAL_ERROR', ['the pool has no record of itself'])
  return readPool(...first)
}

export async function readCrlNamesNow(session: PoolSession): Promise<readonly string[]> {
  const names = await session.call('pool.crl_list')
  return isApiSet(names) ? names.map(String) : []
}

export async function setVerification(session: PoolSession, wanted: boolean): Promise<void> {
  const pool = await readPoolNow(session)
  if (pool.verifies !== wanted) await session.call('pool.set_wlb_verify_cert', pool.ref, wanted)
}

export async function isSomeHostDown(session: PoolSession): Promise<boolean> {
  const metrics = readRecords(await session.call('host_metrics.get_all_records'))
  return [...metrics.values()].some((record) => !record.flag('live', true))
}

export function isFailure(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof ApiFailure && codes.includes(error.code)
}
