/** `wlb balance`: what people and programs get for a document, byte by byte, and what they get for one that is wrong. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, it, test } from 'vitest'
import { document } from '../balance/pools.js'
import { makeFolder, removeFolder, run } from './program.js'

const GIB = 2 ** 30
const folder = makeFolder()
afterAll(() => removeFolder(folder))

const MANAGED = { managed: true, tested: true }
const pool = document(
  [{ name: 'xs1' }, { name: 'xs2' }, { name: 'xs3', enabled: false }],
  [
    { name: 'web', host: 'h2', demand: { cpu: [1.5, 1, 1.2] } },
    { name: 'web-2', host: 'h2', demand: { cpu: [1.5, 1, 1.2] } },
    { name: 'database', host: 'h2', vcpus: 4, memoryFloorBytes: 8 * GIB, demand: { cpu: [3.5, 3, 3.2] } },
    { name: 'cache', host: 'h2', demand: { cpu: [1.5, 1, 1.2] } },
    { name: 'gpu', host: 'h3', immovable: 'VM_HAS_VGPU' },
    { name: 'spare', host: null, state: 'halted' },
  ],
  { rules: [{ kind: 'apart', vms: ['v1', 'v2'] }] },
)
const file = join(folder, 'pool.json')
writeFileSync(file, JSON.stringify(pool))
const tight = join(folder, 'tight.json')
writeFileSync(
  tight,
  JSON.stringify(
    document(
      [
        { name: 'xs1' },
        { name: 'xs2', enabled: false, power: MANAGED },
        { name: 'xs3', power: MANAGED },
        { name: 'xs4', power: MANAGED },
      ],
      [
        { name: 'large', host: 'h2', memoryFloorBytes: 30 * GIB },
        { name: 'web', host: 'h1', memoryFloorBytes: 8 * GIB },
        { name: 'mail', host: 'h3', memoryFloorBytes: 8 * GIB, immovable: 'VM_HAS_VGPU' },
        { name: 'old', host: 'h4', memoryFloorBytes: 8 * GIB },
        { name: 'older', host: 'h4', memoryFloorBytes: 20 * GIB },
      ],
      { mode: 'density' },
    ),
  ),
)
const broken = join(folder, 'broken.json')
writeFileSync(broken, JSON.stringify({ ...pool, vms: [{ ...pool.vms[0], host: 'h9', vcpus: 0 }] }))

const seen: [golden: string, words: string][] = [
  ['plan', 'plan --explain'],
  ['place', 'place --vm v6'],
  ['place-explain', 'place --vm v6 --explain'],
  ['evacuate', 'evacuate --host h2 --explain'],
  ['capacity', 'capacity --vm v3'],
  ['what-if', 'what-if --add-host h2 --remove-host h1 --add-rule should-pin:v3@h2'],
]
it.each(seen)('%s: wlb balance %s', async (golden, words) => {
  const { stdout, stderr, exitCode } = await run('wlb', ['balance', ...words.split(' '), '--pool-file', file])
  const printed = `$ wlb balance ${words}\n--- stdout\n${stdout}--- stderr\n${stderr}--- exit ${exitCode}\n`
  await expect(printed).toMatchFileSnapshot(`golden/balance/${golden}.txt`)
})

const ofTight: [golden: string, words: string][] = [
  ['plan-density', 'plan --explain'],
  ['evacuate-stuck', 'evacuate --host h2 --explain'],
]
test('plan-consolidate: wlb balance plan --explain, where hosts are emptied', async () => {
  const given = join(folder, 'consolidate.json')
  const hosts = [{ name: 'xs1' }, ...['xs2', 'xs3', 'xs4'].map((name) => ({ name, power: MANAGED }))]
  const vms = [{ host: 'h2' }, { host: 'h3' }, { host: 'h3' }, { host: 'h4', demand: { cpu: [2] } }]
  writeFileSync(given, JSON.stringify(document(hosts, vms, { mode: 'density' })))
  const { stdout } = await run('wlb', ['balance', 'plan', '--explain', '--pool-file', given])
  await expect(stdout).toMatchFileSnapshot('golden/balance/plan-consolidate.txt')
})

it.each(ofTight)('%s: wlb balance %s, where memory is short', async (golden, words) => {
  const { stdout, stderr, exitCode } = await run('wlb', ['balance', ...words.split(' '), '--pool-file', tight])
  const printed = `$ wlb balance ${words}\n--- stdout\n${stdout}--- stderr\n${stderr}--- exit ${exitCode}\n`
  await expect(printed).toMatchFileSnapshot(`golden/balance/${golden}.txt`)
})

describe('the contract for scripts', () => {
  async function ask(...words: string[]) {
    const { stdout, exitCode } = await run('wlb', ['balance', ...words, '--json'])
    return { exitCode, answer: JSON.parse(stdout) }
  }

  test('plan', async () => {
    const { answer, exitCode } = await ask('plan', '--pool-file', file)
    expect(exitCode).toBe(0)
    expect(Object.keys(answer)).toEqual([
      'format',
      'verdict',
      'because',
      'severity',
      'before',
      'after',
      'moves',
      'power',
      'stuck',
    ])
    expect(answer).toMatchObject({ format: 'openwlb-plan/1', verdict: 'plan', power: [] })
    expect(Object.keys(answer.before)).toEqual(['congestion', 'minutesOver90', 'minutesOver765', 'hostsOn'])
    expect(Object.keys(answer.moves[0])).toEqual(['vm', 'from', 'to', 'reason', 'why', 'gain', 'cost', 'seconds'])
    expect(answer.moves[0]).toMatchObject({ vm: 'v1', from: 'h2', to: 'h1', reason: 'Rule' })
    expect(answer.stuck).toMatchObject([{ vm: 'v5', code: 'VM_HAS_VGPU' }])
  })

  test('place and evacuate', async () => {
    const { answer: placed } = await ask('place', '--pool-file', file, '--vm', 'v6')
    expect(placed.hosts.map((host: object) => Object.keys(host).join())).toEqual(
      Array(3).fill('host,stars,zeroReason,why'),
    )
    expect(placed.hosts[2]).toMatchObject({ host: 'h3', stars: 0, zeroReason: 'HOST_DISABLED' })
    const { answer: emptied, exitCode } = await ask('evacuate', '--pool-file', file, '--host', 'h3')
    expect(emptied).toMatchObject({ complete: false, moves: [], stays: [{ vm: 'v5', code: 'VM_HAS_VGPU' }] })
    expect(exitCode).toBe(0)
  })

  test('--explain adds to the answer, and changes nothing of it', async () => {
    for (const words of [['plan'], ['place', '--vm', 'v1'], ['evacuate', '--host', 'h2']]) {
      const { answer } = await ask(...words, '--pool-file', tight)
      const { answer: explained } = await ask(...words, '--pool-file', tight, '--explain')
      const { explanation, ...same } = explained
      expect(same).toEqual(answer)
      expect(explanation).toBeDefined()
    }
  })

  test('density: hosts that are switched, after how many moves', async () => {
    const given = join(folder, 'density.json')
    const hosts = [{}, { power: MANAGED }, { power: MANAGED }]
    writeFileSync(given, JSON.stringify(document(hosts, [{ host: 'h2' }], { mode: 'density' })))
    const { answer } = await ask('plan', '--pool-file', given)
    expect(answer.power).toEqual([
      { host: 'h3', action: 'off', after: 0 },
      { host: 'h2', action: 'off', after: 1 },
    ])
    expect(answer).toMatchObject({ before: { hostsOn: 3 }, after: { hostsOn: 1 }, moves: [{ reason: 'Consolidate' }] })
  })

  test('a document of 100 MB is refused without being read', async () => {
    const huge = join(folder, 'huge.json')
    writeFileSync(huge, '')
    truncateSync(huge, 100 * 1024 * 1024)
    const { answer, exitCode } = await ask('plan', '--pool-file', huge)
    expect(exitCode).toBe(1)
    expect(answer.error).toMatchObject({
      code: 'POOL_DOCUMENT_INVALID',
      facts: { problem: 'larger than 67108864 bytes' },
    })
  })

  const wrong: [what: string, words: string[], code: string, exitCode: number, facts: object][] = [
    ['a document that is wrong', ['plan', '--pool-file', broken], 'POOL_DOCUMENT_INVALID', 1, { path: 'vms[0].vcpus' }],
    ['no such file', ['plan', '--pool-file', join(folder, 'none')], 'FILE_MISSING', 1, {}],
    ['no file named', ['plan'], 'USAGE_NEEDS_POOL_FILE', 2, { missing: '--pool-file' }],
    ['no such VM', ['place', '--pool-file', file, '--vm', 'v9'], 'POOL_DOCUMENT_LACKS', 1, { kind: 'VM', uuid: 'v9' }],
    ['no such host', ['evacuate', '--pool-file', file, '--host', 'h9'], 'POOL_DOCUMENT_LACKS', 1, { kind: 'host' }],
    [
      'no such host to be removed',
      ['what-if', '--pool-file', file, '--remove-host', 'h9'],
      'POOL_DOCUMENT_INVALID',
      1,
      { path: 'remove-host' },
    ],
    ['a rule that is none', ['what-if', '--pool-file', file, '--add-rule', 'near:v1'], 'USAGE', 2, {}],
  ]
  it.each(wrong)('%s', async (_, words, code, exitCode, facts) => {
    const asked = await ask(...words)
    expect(asked.exitCode).toBe(exitCode)
    expect(asked.answer).toMatchObject({ error: { code, facts } })
  })
})

describe('plan --stream', () => {
  async function stream(pieces: readonly (string | Buffer)[]) {
    const child = spawn(process.execPath, [
      join(import.meta.dirname, '../../dist/wlb.js'),
      'balance',
      'plan',
      '--stream',
    ])
    const printed = text(child.stdout)
    const ended = once(child, 'close')
    for (const piece of pieces) {
      if (!child.stdin.write(piece)) await once(child.stdin, 'drain')
    }
    child.stdin.end()
    const [exitCode]: number[] = await ended
    return {
      exitCode,
      lines: (await printed)
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    }
  }
  const line = JSON.stringify(pool)

  test('a line that is no pool is answered by its error, and the next one is read', async () => {
    const { lines, exitCode } = await stream([
      line,
      '\n',
      'garbage\n',
      '\n',
      '{}\r\n',
      line.slice(0, 40),
      line.slice(40),
    ])
    expect(lines.map((answer) => answer.verdict ?? answer.error.code)).toEqual([
      'plan',
      'POOL_DOCUMENT_INVALID',
      'POOL_DOCUMENT_INVALID',
      'plan',
    ])
    expect(lines[2].error.facts).toMatchObject({ line: 4, path: 'format' })
    expect(lines[0]).toEqual(lines[3])
    expect(exitCode).toBe(0)
  })

  test('an answer comes before the input ends', async () => {
    const child = spawn(process.execPath, [
      join(import.meta.dirname, '../../dist/wlb.js'),
      'balance',
      'plan',
      '--stream',
    ])
    child.stdin.write(`${line}\n`)
    const [first]: Buffer[] = await once(child.stdout, 'data')
    expect(JSON.parse(`${first}`).verdict).toBe('plan')
    child.stdin.end()
    await once(child, 'close')
  })

  test('a line of 100 MB is refused, and the next one is read', { tags: 'long', timeout: 60_000 }, async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const { lines } = await stream([...Array.from({ length: 100 }, () => piece), '\n', line, '\n'])
    expect(lines.map((answer) => answer.verdict ?? answer.error.facts.problem)).toEqual([
      'larger than 67108864 bytes',
      'plan',
    ])
  })
})
