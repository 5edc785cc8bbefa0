/** `wlb balance simulate`: the table, the maps at every width and without colours, the document, and the page. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { BANDS, bandOf, heatMap, legend } from '../../src/cli/balance/heat-map.js'
import { document } from '../balance/pools.js'
import { makeFolder, removeFolder, run } from './program.js'

const folder = makeFolder()
afterAll(() => removeFolder(folder))
const file = join(folder, 'day.json')

/** Eight VMs that are busy by day, all on the first of three hosts, and four by night. */
const busy = (from: number, to: number, cores: number) =>
  Array.from({ length: 96 }, (_, quarter) => (quarter >= 4 * from && quarter < 4 * to ? cores : 0.1))
const day = document(
  [
    { name: 'xs1' },
    { name: 'xs2', power: { managed: true, tested: true } },
    { name: 'xs3', power: { managed: true, tested: true } },
  ],
  [
    ...Array.from({ length: 8 }, () => ({ demand: { cpu: busy(8, 18, 1) } })),
    ...Array.from({ length: 4 }, () => ({ host: 'h2', demand: { cpu: busy(0, 6, 1.4) } })),
  ],
  { demand: { stepSeconds: 900 } },
)
writeFileSync(file, JSON.stringify(day))

const seen: [golden: string, words: string][] = [
  ['simulate', 'simulate'],
  ['simulate-density', 'simulate --mode density'],
]
it.each(seen)('%s: wlb balance %s', async (golden, words) => {
  const { stdout, stderr, exitCode } = await run('wlb', ['balance', ...words.split(' '), '--pool-file', file])
  const printed = `$ wlb balance ${words}\n--- stdout\n${stdout}--- stderr\n${stderr}--- exit ${exitCode}\n`
  await expect(printed).toMatchFileSnapshot(`golden/balance/${golden}.txt`)
})

describe('the map', () => {
  const span = { from: new Date('2026-03-01T00:00:00Z'), stepMinutes: 5 }
  const linesOf = (rows: Parameters<typeof heatMap>[0], columns: number) =>
    heatMap(rows, span, columns).map((line) => line.map(([text]) => text).join(''))

  const shares: [share: number | null, character: string][] = [
    [0, '.'],
    [0.499, '.'],
    [0.5, '-'],
    [0.764, '-'],
    [0.765, '+'],
    [0.899, '+'],
    [0.9, '#'],
    [3, '#'],
    [null, ' '],
  ]
  it.each(shares)('a share of %s is drawn as "%s"', (share, character) => {
    expect(BANDS[bandOf(share)]?.character ?? ' ').toBe(character)
    expect(linesOf([{ name: 'h', shares: [share] }], 80)[0]).toBe(`h  ${character}`)
  })

  test('each band has a character and a colour of its own', () => {
    expect(new Set(BANDS.map(({ character }) => character)).size).toBe(4)
    expect(new Set(BANDS.map(({ colour }) => colour)).size).toBe(4)
  })

  test('no line is wider than the terminal, from 60 to 200 columns; a day uses nearly all of it', () => {
    const rows = [
      { name: 'xs1', shares: Array.from({ length: 288 }, (_, step) => (step % 100) / 100) },
      {
        name: 'a host with a name that is very, very long, and longer',
        shares: Array.from({ length: 288 }, () => null),
      },
    ]
    for (let columns = 60; columns <= 200; columns++) {
      const lines = linesOf(rows, columns)
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
      expect(lines[0]?.length).toBeGreaterThan(columns - 4)
      for (const line of legend(columns)) {
        expect(
          line
            .map(([text]) => text)
            .join('')
            .trimEnd().length,
        ).toBeLessThanOrEqual(columns)
      }
    }
  })

  test('of several steps in one column the fullest is drawn', () => {
    const shares = Array.from({ length: 288 }, (_, step) => (step === 100 ? 1 : 0))
    expect(linesOf([{ name: 'h', shares }], 60)[0]).toMatch(/^h {2}\.+#\.+$/)
  })
})

describe('colours on a terminal', () => {
  const shown = (env: NodeJS.ProcessEnv) =>
    execFileSync(
      'script',
      ['-qec', `${process.execPath} dist/wlb.js balance simulate --pool-file ${file}`, '/dev/null'],
      {
        cwd: join(import.meta.dirname, '../..'),
        encoding: 'utf8',
        env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...env },
      },
    )
  const red = '\u001b[31m'
  test('are there', () => expect(shown({})).toContain(red))
  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('are not there with %o', (env) => {
    expect(shown(env)).not.toContain('\u001b[3')
    expect(shown(env)).toContain('##')
  })
})

describe('the contract for scripts', () => {
  async function ask(...words: string[]) {
    const { stdout, exitCode } = await run('wlb', ['balance', 'simulate', ...words, '--json'])
    return { exitCode, answer: JSON.parse(stdout) }
  }

  test('the day twice, the figures of each, and every move', async () => {
    const { answer, exitCode } = await ask('--pool-file', file, '--mode', 'density', '--horizon', '90')
    expect(exitCode).toBe(0)
    expect(answer).toMatchObject({
      format: 'openwlb-simulation/1',
      mode: 'density',
      horizonMinutes: 90,
      from: '2026-02-28T12:00:00.000Z',
      to: '2026-03-01T12:00:00Z',
      unscoredMinutes: 60,
      stepMinutes: 15,
      nothing: { moves: 0, hostsOn: 3 },
    })
    expect(answer.ours.moves).toBe(answer.moves.length)
    expect(answer.ours.hostsOn).toBeLessThan(3)
    expect(answer.hosts.map(({ host, nothing, ours }: Day) => [host, nothing.length, ours.length])).toEqual(
      ['h1', 'h2', 'h3'].map((host) => [host, 96, 96]),
    )
    expect(answer.hosts.some(({ ours }: Day) => ours.includes(null))).toBe(true)
  })
  interface Day {
    readonly host: string
    readonly nothing: readonly (number | null)[]
    readonly ours: readonly (number | null)[]
  }

  const empty = join(folder, 'empty.json')
  writeFileSync(empty, JSON.stringify({ ...day, vms: [] }))
  const wrong: [what: string, words: string[], code: string, exitCode: number][] = [
    ['no series', ['--pool-file', empty], 'POOL_DOCUMENT_WITHOUT_HISTORY', 1],
    ['no such mode', ['--pool-file', file, '--mode', 'speed'], 'USAGE', 2],
    ['a horizon of nothing', ['--pool-file', file, '--horizon', '0'], 'USAGE', 2],
    ['a horizon in words', ['--pool-file', file, '--horizon', 'long'], 'USAGE', 2],
    ['a page where none can be', ['--pool-file', file, '--html', join(folder, 'none/day.html')], 'FILE_MISSING', 1],
  ]
  it.each(wrong)('%s', async (_, words, code, exitCode) => {
    const asked = await ask(...words)
    expect([asked.answer.error?.code, asked.exitCode]).toEqual([code, exitCode])
  })
})

test('the page: hostile names stay text, nothing is loaded, light and dark, two charts and two maps', async () => {
  const hostile = '<script>alert(1)</script>"><img onerror=x>\u202e\u001b[31m'
  const given = join(folder, 'hostile.json')
  const page = join(folder, 'day.html')
  writeFileSync(
    given,
    JSON.stringify({
      ...day,
      pool: { ...day.pool, name: hostile },
      hosts: day.hosts.map((host) => ({ ...host, name: hostile })),
      vms: day.vms.map((vm) => ({ ...vm, name: hostile })),
    }),
  )
  const { stdout, exitCode } = await run('wlb', ['balance', 'simulate', '--pool-file', given, '--html', page])
  expect(exitCode).toBe(0)
  expect(stdout).not.toMatch(/[\u202e\u001b]/)
  const html = readFileSync(page, 'utf8')
  expect(html).not.toMatch(/<script|<img|[\u202e\u001b]|(src|href)=|url\(|@import/)
  expect(html).toContain('&lt;script&gt;alert(1)')
  expect(html).toContain("default-src 'none'")
  expect(html).toContain('prefers-color-scheme: dark')
  expect(html.match(/<svg /g)).toHaveLength(4)
  for (const band of [0, 1, 3]) expect(html).toContain(`<rect class="b${band}"`)
  expect(html).toContain('<summary>')
})
