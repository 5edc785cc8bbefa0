/**
 * What the registered pools would say of another certificate. Only the appliance can log in to them: the running one is asked; of a
 * stopped one the database is opened here, as it would do itself.
 */
import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type Clock, SYSTEM_CLOCK } from '../../base/clock.js'
import { WlbError } from '../../base/error.js'
import { type AppliancePaths, askAppliance, openLog, paths, readSettings } from '../../config/index.js'
import { readIdentity } from '../../identity/index.js'
import { reachable } from '../../tls/index.js'
import type { PoolOutlook } from '../../trust/index.js'
import { readContainers } from '../../x509/index.js'
import type { WlbAddress } from '../../xapi/index.js'
import { type Given, settings, stateFolder } from '../appliance-files.js'
import { type DatabasePart, database } from '../database.js'
import { partList } from '../part-list.js'
import { listRegistered } from './registered-pools.js'

/** The pools, in order of registration; or why they could not be asked. */
export type PoolsAsked =
  | { readonly state: 'asked'; readonly pools: readonly PoolOutlook[] }
  | { readonly state: 'unknown'; readonly why: string }

/** A pool that does not answer is given up after twenty seconds, and eight are asked at a time. */
const ASK_TIMEOUT_MS = 120_000

/** Asks every registered pool, and changes nothing. `certificatePem`: what would be served, leaf first. */
export async function askPools(root: string, certificatePem: string): Promise<PoolsAsked> {
  const place = paths(root)
  try {
    const answer = await askAppliance(place.controlSocket, 'POST', '/pools/outlook', ASK_TIMEOUT_MS, { certificatePem })
    if (answer !== undefined)
      return { state: 'asked', pools: (await import('../../trust/index.js')).POOL_OUTLOOKS.parse(answer).pools }
    const { databaseUrl } = await readSettings(place.settings)
    if (databaseUrl === undefined && !existsSync(place.database)) return { state: 'asked', pools: [] }
    return { state: 'asked', pools: await askFromHere(root, certificatePem) }
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    return { state: 'unknown', why: `${error.message} [${error.code}]` }
  }
}

const databaseParts = partList<Given>().add(settings).add(stateFolder).add(database)

async function askFromHere(root: string, certificatePem: string): Promise<readonly PoolOutlook[]> {
  const opened = await databaseParts.open({ root, log: openLog(), clock: SYSTEM_CLOCK, stop: () => {} })
  try {
    const { address, port } = opened.context.settings
    return await readOutlooks(opened.context, { host: reachable(address), port }, certificatePem, SYSTEM_CLOCK)
  } finally {
    await opened.close()
  }
}

/** Of the pools in the database. */
export async function readOutlooks(
  { place, store, secretKey }: Pick<DatabasePart, 'store' | 'secretKey'> & { readonly place: AppliancePaths },
  appliance: WlbAddress,
  certificatePem: string,
  { now }: Clock,
): Promise<readonly PoolOutlook[]> {
  const members = await listRegistered({ store, secretKey }, appliance)
  if (members.length === 0) return []
  const { readPoolOutlooks } = await import('../../trust/index.js')
  const present = await readIdentity(place).then(
    (inPlace) => certificatesIn(inPlace.certificatePem),
    () => [], // nothing that could be served
  )
  return readPoolOutlooks(members, { present, next: certificatesIn(certificatePem), now: now() })
}

function certificatesIn(pem: string): readonly X509Certificate[] {
  const { certificates } = readContainers([{ file: 'certificate', bytes: Buffer.from(pem) }])
  return certificates.map(({ certificate }) => certificate)
}
