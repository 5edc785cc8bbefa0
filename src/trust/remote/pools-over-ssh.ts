/**
 * What the pools of an appliance on another machine would say of another certificate. An OpenWLB that runs there is asked over
 * its control socket: it knows all its pools. Of any other appliance those are asked that were met from here.
 */
import type { X509Certificate } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { askApplianceOver, paths } from '../../config/index.js'
import type { SshConnection } from '../../ssh/index.js'
import { readContainers } from '../../x509/index.js'
import type { Connection } from '../connection/connection.js'
import type { FleetMember } from '../connection/fleet.js'
import { servedBy } from '../connection/predict.js'
import { POOL_OUTLOOKS, type PoolOutlook, readPoolOutlooks } from '../renew/pool-outlook.js'
import { fetchCertificate } from './fetch-certificate.js'
import type { InstallOverSsh } from './replace-over-ssh.js'

const ASK_TIMEOUT_MS = 120_000

/** Undefined where no OpenWLB answers there. */
export async function askPoolsOverSsh(
  ssh: SshConnection,
  { replacement }: InstallOverSsh,
): Promise<readonly PoolOutlook[] | undefined> {
  const { identity, applianceRoot = '/' } = replacement.request
  const { certificatePem } = identity
  return askThere(ssh, applianceRoot, async (socket) => {
    const answer = await askApplianceOver(socket, 'POST', '/pools/outlook', ASK_TIMEOUT_MS, { certificatePem })
    return POOL_OUTLOOKS.parse(answer).pools
  })
}

const REGISTERED = z.object({ pools: z.array(z.object({ uuid: z.string() })).nullable() })

/** UUIDs of the pools that are registered at the OpenWLB there; undefined where none answers, or it cannot say. */
export async function readPoolsThere(
  ssh: SshConnection,
  applianceRoot: string,
): Promise<readonly string[] | undefined> {
  return askThere(ssh, applianceRoot, async (socket) => {
    const answer = await askApplianceOver(socket, 'GET', '/status', ASK_TIMEOUT_MS)
    return REGISTERED.parse(answer).pools?.map(({ uuid }) => uuid)
  })
}

async function askThere<T>(
  ssh: SshConnection,
  applianceRoot: string,
  ask: (socket: Duplex) => Promise<T>,
): Promise<T | undefined> {
  const socket = await ssh.openSocket(paths(applianceRoot).controlSocket)
  if (!socket) return undefined
  try {
    return await ask(socket)
  } catch {
    return undefined // whoever listens there may be anybody, and an OpenWLB may be another release
  } finally {
    socket.destroy()
  }
}

/** Of `members`, those that use this appliance; one that cannot be asked is `unknown`, whichever it uses. */
export async function readPoolsFromHere(
  ssh: SshConnection,
  { plan, replacement }: InstallOverSsh,
  members: readonly FleetMember[],
  now: Date,
): Promise<readonly PoolOutlook[]> {
  const { applianceRoot, endpoint } = replacement.request
  const isTheirs = ({ appliance }: Connection) =>
    (replacement.servedBefore !== undefined && servedBy(appliance)[0]?.fingerprint256 === replacement.servedBefore) ||
    appliance.name.toLowerCase() === plan.name.toLowerCase() ||
    (appliance.host === endpoint.address && appliance.port === endpoint.port)
  const present = await fetchCertificate(ssh, { applianceRoot }).then(
    ({ bytes }) => certificatesIn(bytes),
    () => [], // nothing that could be served
  )
  return readPoolOutlooks(members, { present, next: plan.served, now, isTheirs })
}

function certificatesIn(bytes: Buffer): readonly X509Certificate[] {
  return readContainers([{ file: 'certificate', bytes }]).certificates.map(({ certificate }) => certificate)
}
