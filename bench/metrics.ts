/** A large lab: 64 hosts with 2,000 VMs brought up, at rest, and one of its hosts asked for its metrics. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type LabDocument, labDown, labUp } from '../src/lab/index.js'
import { PROGRAM } from './appliance.js'
import { rounds } from './rounds.js'
import type { Row } from './row.js'

const HOSTS = rounds(64) === 1 ? 2 : 64
const VMS = rounds(2_000) === 1 ? 20 : 2_000
/** As many as the question is about. */
const VMS_ON_ASKED = 31
const QUESTIONS = rounds(200)
const REST_SECONDS = rounds(20)

export async function metrics(): Promise<Row[]> {
  const without = await measure(0, async ({ upMs, document }) => ({ upMs, megabytes: memoryOf(document) }))
  return measure(VMS, async ({ upMs, document }) => {
    const megabytes = memoryOf(document)
    const share = await shareAtRest(document)
    const asked = await askHost(document)
    const title = `a lab of ${HOSTS} hosts with ${VMS} VMs`
    return [
      {
        what: `${title}: from nothing to complete`,
        ours: `${(upMs / 1000).toFixed(1)} s`,
        peer: `${(without.upMs / 1000).toFixed(1)} s without VMs`,
        ratio: (upMs / without.upMs).toFixed(1),
        limit: 'the start of a process a host; each gets a copy of the database',
      },
      {
        what: `${title}: memory`,
        ours: `${megabytes.toFixed(0)} MB`,
        peer: `${without.megabytes.toFixed(0)} MB without VMs`,
        ratio: (megabytes / without.megabytes).toFixed(1),
        limit: "each process's own code, and its copy of the database",
      },
      {
        what: `${title}: at rest, speed 1`,
        ours: `${(share * 100).toFixed(2)} % of a processor`,
        peer: '-',
        ratio: '-',
        limit: 'nothing is computed before somebody asks',
      },
      {
        what: `rrd_updates of a host with ${asked.vms} VMs, a minute of samples, ${Math.round(asked.bytes / 1000)} kB`,
        ours: `${asked.updatesMs.toFixed(1)} ms`,
        peer: `${asked.nothingMs.toFixed(1)} ms, a path that is not there`,
        ratio: (asked.updatesMs / asked.nothingMs).toFixed(1),
        limit: 'a member asks its coordinator what has changed; a thousand columns are computed and written',
      },
      {
        what: `host_rrd of the same host, ${Math.round(asked.dumpBytes / 1000)} kB`,
        ours: `${asked.dumpMs.toFixed(0)} ms`,
        peer: `${asked.updatesMs.toFixed(1)} ms, rrd_updates`,
        ratio: (asked.dumpMs / asked.updatesMs).toFixed(0),
        limit: 'ten archives of up to a year, each hour and day of them shared among the VMs',
      },
    ]
  })
}

interface Up {
  readonly upMs: number
  readonly document: LabDocument
}

async function measure<T>(vms: number, look: (up: Up) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'openwlb-bench-'))
  try {
    const startedMs = performance.now()
    const hostProgram = join(PROGRAM, '../lab-host.js')
    const { document } = await labUp({ root, hosts: HOSTS, vms, seed: 7, load: 'bursty', hostProgram })
    return await look({ upMs: performance.now() - startedMs, document })
  } finally {
    await labDown(root)
    rmSync(root, { recursive: true, force: true })
  }
}

function pidsOf({ hosts }: LabDocument): number[] {
  return hosts.flatMap(({ pid }) => (pid === null ? [] : [pid]))
}

/** What the processes have to themselves, and their part of what they share (Pss). */
function memoryOf(document: LabDocument): number {
  const kilobytes = pidsOf(document).map((pid) => {
    const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
    return Number(found ?? 0)
  })
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024
}

/** Linux counts in hundredths of a second. */
const TICKS_A_SECOND = 100

async function shareAtRest(document: LabDocument): Promise<number> {
  const ticks = () =>
    pidsOf(document).reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return sum + Number(fields[11]) + Number(fields[12])
    }, 0)
  const before = ticks()
  await pause(REST_SECONDS * 1000)
  return (ticks() - before) / TICKS_A_SECOND / REST_SECONDS
}

async function askHost(document: LabDocument) {
  const distance = ({ vms }: { readonly vms: number | null }) => Math.abs((vms ?? 0) - VMS_ON_ASKED)
  const [host] = document.hosts.slice(1).sort((one, other) => distance(one) - distance(other))
  if (!host) throw new Error('the lab has no member')
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
  const auth = `${document.username}:${document.password}`
  const get = (path: string) =>
    new Promise<number>((resolve, reject) => {
      const sent = request({ host: host.address, port: host.tlsPort, agent, path, auth }, (response) => {
        let bytes = 0
        response.on('data', (piece: Buffer) => {
          bytes += piece.length
        })
        response.on('end', () => resolve(bytes))
        response.on('error', reject)
      })
      sent.on('error', reject)
      sent.end()
    })
  try {
    const updates = '/rrd_updates?start=-60&host=true&json=true'
    const median = async (path: string, times: number) => {
      const tookMs: number[] = []
      for (let time = 0; time < times; time++) {
        const startedMs = performance.now()
        await get(path)
        tookMs.push(performance.now() - startedMs)
      }
      return tookMs.sort((one, other) => one - other)[Math.floor(times / 2)] ?? 0
    }
    return {
      vms: host.vms ?? 0,
      bytes: await get(updates),
      updatesMs: await median(updates, QUESTIONS),
      nothingMs: await median('/nothing', QUESTIONS),
      dumpBytes: await get('/host_rrd?json=true'),
      dumpMs: await median('/host_rrd?json=true', rounds(5)),
    }
  } finally {
    agent.destroy()
  }
}
