/** Labs whose load is a recorded day: files as people have them, and what they become. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../../src/base/error.js'
import { readGivenTrace } from '../../../src/lab/launcher/given-trace.js'
import { parseTrace } from '../../../src/lab/vms/load/trace.js'
import { usePool } from '../test-pool.js'
import { updatesOf } from './ask-host.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-trace-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const values = (percentage: number) => Array<number>(288).fill(percentage)
const csv = [3, 42].map((percentage) => [`vm-${percentage}`, ...values(percentage)].join(',')).join('\n')
const file = (name: string, content: string | Buffer) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

describe('a pool with a trace', () => {
  const trace = file('trace.csv.gz', gzipSync(csv))
  const pool = usePool({ hosts: 1, vms: 6, seed: 5, trace, load: 'bursty' })

  test.each(['start=-60', 'start=-3600&interval=60', 'start=-90000', 'start=0'])('%s: as recorded', async (query) => {
    const { meta, data } = await updatesOf(pool, 'xs1', query)
    const columns = meta.legend.flatMap((entry, index) => (entry.endsWith(':cpu_usage') ? [index] : []))
    const seen = new Set(data.flatMap(({ values: row }) => columns.map((index) => row[index])))
    expect([...seen].filter((value) => value === '0.03' || value === '0.42').sort()).toEqual(['0.03', '0.42'])
    expect(columns).toHaveLength(7) // the control domain has load of its own
  })

  it.each([
    ['the same trace', csv, 'already'],
    ['another trace', csv.replace('42', '43'), 'LAB_OTHERWISE'],
  ])('brought up again with %s: %s', async (_what, content, outcome) => {
    const again = pool.up({ trace: file('again.csv', content) }).then(
      (already) => (already ? 'already' : 'started'),
      (error: unknown) => (error instanceof WlbError ? error.code : String(error)),
    )
    expect(await again).toBe(outcome)
  })

  test('the lab keeps its own copy: it comes up again when the file is gone', async () => {
    rmSync(trace)
    await pool.fault('stop', 'xs1')
    await pool.fault('start', 'xs1')
    const { data } = await updatesOf(pool, 'xs1', 'start=-60')
    expect(data.length).toBeGreaterThan(10)
  })
})

describe('what is read as a trace', () => {
  it('a folder with a file for each machine, as published', async () => {
    const published = await mkdtemp(join(folder, 'published-'))
    await writeFile(join(published, 'host_a'), `${values(7).join('\n')}\n`)
    await writeFile(join(published, 'host_b,odd'), `${values(8).join('\r\n')}\r\n`)
    const lines = parseTrace(await readGivenTrace(published), published)
    expect(lines.map((line) => line.mean(0, 300))).toEqual([0.07, 0.08])
    await rm(published, { recursive: true })
  })

  const empty = join(folder, 'empty')
  const bad: [what: string, make: () => string | Promise<string>, code: string][] = [
    ['a file that is missing', () => join(folder, 'missing.csv'), 'FILE_MISSING'],
    ['an empty file', () => file('empty.csv', ''), 'LAB_TRACE_UNREADABLE'],
    ['an empty folder', () => mkdir(empty, { recursive: true }).then(() => empty), 'LAB_TRACE_UNREADABLE'],
    ['a day that is too short', () => file('short.csv', 'vm,1,2,3'), 'LAB_TRACE_UNREADABLE'],
    ['something else', () => file('else.csv', '<html></html>'), 'LAB_TRACE_UNREADABLE'],
    ['damaged compression', () => file('damaged.gz', gzipSync(csv).subarray(0, -9)), 'LAB_TRACE_UNREADABLE'],
  ]
  it.each(bad)('%s is refused', async (_what, make, code) => {
    const answer = readGivenTrace(await make()).then(
      () => 'read',
      (error: unknown) => (error instanceof WlbError ? error.code : String(error)),
    )
    expect(await answer).toBe(code)
  })

  const planetLab = fileURLToPath(new URL('../../../../shared/data/planetlab/20110303.csv.gz', import.meta.url))
  test.skipIf(!existsSync(planetLab))('a day of PlanetLab, a thousand machines', async () => {
    const lines = parseTrace(await readGivenTrace(planetLab), planetLab)
    expect(lines).toHaveLength(1052)
    expect(lines[0]?.mean(0, 600)).toBeCloseTo((0.24 + 0.34) / 2, 9)
    expect(Math.max(...lines.map(({ peak }) => peak))).toBeLessThanOrEqual(1)
    expect(readFileSync(planetLab).length).toBeGreaterThan(0)
  })
})
