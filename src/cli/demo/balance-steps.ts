/**
 * Advice (docs/balance.md): a pool that is out of balance, as a document; the plan and why; the pool after it; and its day with
 * advice. Nothing but documents is changed.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Outcome, Stage } from './stage.js'
import { type Step, says } from './steps.js'

const BEFORE = 'pool.json'
const AFTER = 'pool-after.json'
const GIB = 2 ** 30
const SAMPLES = 288

export function balancedPool(stage: Pick<Stage, 'folder' | 'wlb'>): Step[] {
  const advice = (title: string, args: readonly string[], proves: Step['proves'], show?: readonly string[]): Step => ({
    title,
    prompt: '$',
    command: `wlb ${args.join(' ')}`,
    run: () => stage.wlb(...args),
    isWhole: true,
    proves,
    ...(show && { show }),
  })
  return [
    {
      title: 'A pool at noon: one host does nearly everything, and two databases that must be apart share it',
      prompt: '$',
      command: `cat ${BEFORE}`,
      run: () => writeDocument(join(stage.folder, BEFORE)),
      show: ['"cpus"', '"rules"'],
      isWhole: true,
      proves: says('"rules"', 'all that advice depends on is in the document (docs/pool-document.md)'),
    },
    advice(
      'What to do, and why',
      ['balance', 'plan', '--pool-file', BEFORE, '--explain'],
      says('A plan: ', 'every move is possible when it is made, and carries its reason in numbers'),
    ),
    {
      ...advice(
        'The pool after it',
        ['balance', 'plan', '--pool-file', AFTER],
        says('Nothing worth doing', 'the plan for the result of a plan is empty'),
      ),
      run: async () => {
        const plan = await stage.wlb('balance', 'plan', '--pool-file', BEFORE, '--json')
        await carryOut(plan, join(stage.folder, BEFORE), join(stage.folder, AFTER))
        return stage.wlb('balance', 'plan', '--pool-file', AFTER)
      },
    },
    advice(
      'The same day again, as it was and with advice',
      ['balance', 'simulate', '--pool-file', BEFORE],
      says('With advice:', 'what it would have been worth, before anything is wired to a pool'),
    ),
  ]
}

/** A line a host and a VM, so that it can be read. */
async function writeDocument(path: string): Promise<Outcome> {
  const lines = (items: readonly object[]) => items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')
  const text = [
    '{ "format": "openwlb-pool/1", "at": "2026-03-02T12:00:00Z", "demand": { "stepSeconds": 300 },',
    '  "pool": { "uuid": "demo", "name": "demo", "coordinator": "xs1" },',
    `  "hosts": [\n${lines(['xs1', 'xs2', 'xs3'].map((uuid) => ({ uuid, cpus: 8, memoryBytes: 64 * GIB })))}\n  ],`,
    `  "vms": [\n${lines(VMS.map(vm))}\n  ],`,
    `  "rules": [ ${JSON.stringify({ kind: 'apart', vms: ['db-1', 'db-2'] })} ] }`,
  ].join('\n')
  await writeFile(path, `${text}\n`)
  return { stdout: text, stderr: '', exitCode: 0 }
}

/** Busy at these hours of the day, with as many cores. */
const VMS: readonly (readonly [name: string, host: string, from: number, to: number, cores: number])[] = [
  ['db-1', 'xs2', 6, 20, 2.2],
  ['db-2', 'xs2', 6, 20, 1.8],
  ['web-1', 'xs2', 7, 19, 1.6],
  ['web-2', 'xs2', 7, 19, 1.4],
  ['web-3', 'xs2', 8, 18, 1.2],
  ['mail', 'xs3', 5, 21, 1],
  ['backup', 'xs3', 0, 4, 3],
]

function vm([uuid, host, from, to, cores]: (typeof VMS)[number]): object {
  // the document ends at noon
  const hourOf = (sample: number) => (12 + (sample * 24) / SAMPLES) % 24
  const cpu = Array.from({ length: SAMPLES }, (_, sample) =>
    hourOf(sample) >= from && hourOf(sample) < to ? cores : 0.1,
  )
  return { uuid, host, vcpus: 4, memoryFloorBytes: 4 * GIB, demand: { cpu } }
}

interface Placed {
  readonly vms: readonly { readonly uuid: string; readonly host: string }[]
}

/** The document as it is when the moves are made. */
async function carryOut({ stdout }: Outcome, from: string, to: string): Promise<void> {
  const { moves }: { moves: readonly { readonly vm: string; readonly to: string }[] } = JSON.parse(stdout)
  const target = new Map(moves.map((move) => [move.vm, move.to]))
  const pool: Placed = JSON.parse(await readFile(from, 'utf8'))
  const vms = pool.vms.map((one) => ({ ...one, host: target.get(one.uuid) ?? one.host }))
  await writeFile(to, `${JSON.stringify({ ...pool, vms })}\n`)
}
