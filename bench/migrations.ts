/** A hundred migrations at once in a lab: until the last has landed, against what memory and bandwidth allow. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ApiValue, isApiMap, withPool } from '../src/xapi/index.js'
import { openBenchPool } from './bench-pool.js'
import type { Row } from './row.js'

const HOSTS = 8
const VMS = 200
const MOVES = 100
const SPEED = 60
/** Of the management adapter of each host. */
const HOST_BYTES_A_SECOND = 1_100e6
const LIMIT_MS = 120_000

type Session = { call(method: string, ...params: ApiValue[]): Promise<ApiValue> }

export async function migrations(): Promise<Row[]> {
  const root = mkdtempSync(join(tmpdir(), 'openwlb-bench-'))
  const pool = await openBenchPool(root, HOSTS, { vms: VMS, seed: 7, speed: SPEED })
  try {
    const [coordinator] = pool.document.hosts
    if (!coordinator) throw new Error('the lab has no hosts')
    const { address, tlsPort: port } = coordinator
    const { username: userName, password } = pool.document
    const trust = { kind: 'none' } as const
    return await withPool({ address, port, userName, password, trust, timeoutMs: 60_000 }, (session) =>
      measure(session),
    )
  } finally {
    await pool.close()
    rmSync(root, { recursive: true, force: true })
  }
}

async function measure(session: Session): Promise<Row[]> {
  const hosts = await refsOf(session, 'host')
  const vms = await recordsOf(session, 'VM')
  const moves = hosts.flatMap((host, index) => {
    const guests = vms.filter(([, vm]) => vm.resident_on === host && vm.is_control_domain === false)
    const target = hosts[(index + 1) % hosts.length] ?? host
    return guests
      .slice(0, Math.ceil(MOVES / HOSTS))
      .map(([vm, record]) => ({ vm, host, target, bytes: Number(record.memory_target) }))
  })
  const chosen = moves.slice(0, MOVES)
  const before = performance.now()
  const tasks = await Promise.all(
    chosen.map(({ vm, target }) => session.call('Async.VM.pool_migrate', vm, target, { live: 'true' })),
  )
  const accepted = performance.now() - before
  await untilEnded(session, tasks.map(String))
  const took = performance.now() - before

  const carried = hosts.map((host) =>
    chosen.filter((move) => move.host === host || move.target === host).reduce((sum, { bytes }) => sum + bytes, 0),
  )
  const least = (Math.max(...carried) / HOST_BYTES_A_SECOND / SPEED) * 1000
  return [
    {
      what: `${MOVES} migrations at once, ${HOSTS} hosts, speed ${SPEED}`,
      ours: `${(took / 1000).toFixed(2)} s`,
      peer: `${(least / 1000).toFixed(2)} s of the busiest adapter`,
      ratio: (took / least).toFixed(2),
      limit: `four streams from a host, 500 MB/s each; the calls alone took ${accepted.toFixed(0)} ms`,
    },
  ]
}

async function untilEnded(session: Session, tasks: readonly string[]): Promise<void> {
  const deadline = Date.now() + LIMIT_MS
  for (;;) {
    const records = new Map(await recordsOf(session, 'task'))
    const own = tasks.map((task) => records.get(task))
    const failed = own.find((task) => task?.status === 'failure')
    if (failed) throw new Error(`a migration failed: ${String(failed.error_info)}`)
    if (own.every((task) => task?.status === 'success')) return
    if (Date.now() > deadline) throw new Error('the migrations do not end')
    await pause(20)
  }
}

type Records = readonly (readonly [ref: string, record: { readonly [field: string]: ApiValue }])[]

async function recordsOf(session: Session, className: string): Promise<Records> {
  const records = await session.call(`${className}.get_all_records`)
  return Object.entries(records).flatMap(([ref, record]) => (isApiMap(record) ? [[ref, record] as const] : []))
}

async function refsOf(session: Session, className: string): Promise<string[]> {
  return (await recordsOf(session, className)).map(([ref]) => ref)
}
