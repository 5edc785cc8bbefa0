/** What one host of the lab says about itself: its role, its own store, its verdict on WLB. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { loadBundle } from '../../x509/index.js'
import { listStore } from '../certificates/trust-store.js'
import { fetchWlbSettings } from '../wlb/wlb-settings.js'
import type { LabHost } from './host.js'
import { placesOf } from './layout.js'

/** Whoever looks at a lab does not wait as long as a pool. */
const HANDSHAKE_TIMEOUT_MS = 5_000

export interface HostStatus {
  readonly name: string
  readonly uuid: string
  readonly role: 'coordinator' | 'member'
  readonly pid: number
  /** A member: connected to its coordinator, its files compared. A coordinator: always. */
  readonly settled: boolean
  /** Uuids of the hosts that are there; known to the coordinator only. */
  readonly live: readonly string[]
  readonly generation: number
  /** Names of the certificates on this host's own disk. */
  readonly certificates: readonly string[]
  readonly crls: readonly string[]
  readonly bundle: 'missing' | 'unusable' | 'loaded'
  readonly anchors: number
  readonly verifiesPool: boolean
}

export async function describeHost(host: LabHost): Promise<HostStatus> {
  const { role, settings, layout } = host
  const [place] = placesOf(layout, { store: 'LegacyRootCert' })
  const bytes = place?.bundle ? await readFile(place.bundle).catch(() => undefined) : undefined
  const bundle = loadBundle(bytes)
  return {
    name: settings.name,
    uuid: settings.uuid,
    role: role.kind,
    pid: process.pid,
    settled: role.kind === 'coordinator' || role.settled,
    live: liveHosts(host),
    generation: role.kind === 'coordinator' ? role.database.generation : (role.copy?.image.generation ?? 0),
    certificates: await listStore(layout, { store: 'LegacyRootCert' }),
    crls: await listStore(layout, { store: 'CRL' }),
    bundle: bytes === undefined ? 'missing' : bundle.state,
    anchors: bundle.state === 'loaded' ? bundle.anchors.length : 0,
    verifiesPool: existsSync(layout.verifySwitch),
  }
}

function liveHosts({ role }: LabHost): string[] {
  if (role.kind === 'member') return []
  const { database } = role
  return database.rows('host').flatMap(([, record]) => {
    return database.find('host_metrics', String(record.metrics))?.live === true ? [String(record.uuid)] : []
  })
}

/** Connects to the pool's WLB address as a verified connection of this host would: with its own store. */
export async function rehearseWlb(host: LabHost): Promise<{ accepted: boolean; reason: string } | undefined> {
  const settings = await fetchWlbSettings(host, 'as-is').catch(() => undefined)
  if (!settings || settings.url === '') return undefined
  return host.wlb.handshake({ ...settings, verify: true, timeoutMs: HANDSHAKE_TIMEOUT_MS })
}
