/** Lines for a destination that may be full, stopped or gone: the writer goes on, and what was lost is counted and said. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, it, test } from 'vitest'
import { type LineSink, openLineSink } from '../../src/base/text/line-sink.js'
import { openSmallDisk } from '../identity/small-disk.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-sink-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

const describeLoss = (lines: number) => `lost ${lines}\n`
const line = (count: number) => `line ${count} ${'x'.repeat(990)}\n`
const write = (sink: LineSink, from: number, to: number) => {
  for (let count = from; count < to; count++) sink.write(line(count))
}
/** The numbers of whole lines in order, and what was said to be lost. */
function describeLines(text: string): string {
  const found = text.split('\n').slice(0, -1)
  return found
    .map((one) => /^line (\d+) x{990}$/.exec(one)?.[1] ?? (/^lost \d+$/.test(one) ? one : `BROKEN ${one.slice(0, 40)}`))
    .join(' ')
}
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index).join(' ')

/** A fifo that is open for reading and not read. */
function stoppedReader(): { readonly writer: number; readonly reader: number; read(): string; close(): void } {
  const path = join(folder, `fifo${number++}`)
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY) // waits when it is full, as a shell's pipe does
  const bytes = Buffer.alloc(200_000)
  const read = () => {
    try {
      return bytes.toString('utf8', 0, readSync(reader, bytes))
    } catch {
      return '' // nothing there
    }
  }
  const close = () => {
    closeSync(reader)
    closeSync(writer)
  }
  return { writer, reader, read, close }
}

/** Reads until `isEnough`, as long as it takes a sink to try again. */
async function readUntil(read: () => string, isEnough: (text: string) => boolean): Promise<string> {
  let text = ''
  const endMs = performance.now() + 10_000
  while (!isEnough(text) && performance.now() < endMs) {
    text += read()
    await pause(10)
  }
  return text
}

test('a reader that stops and goes on gets every line while they fit into what may wait', async () => {
  const fifo = stoppedReader()
  const sink = openLineSink(fifo.writer, { describeLoss })
  const started = performance.now()
  write(sink, 0, 200)
  expect(performance.now() - started).toBeLessThan(1000)
  const text = await readUntil(fifo.read, (said) => said.endsWith(line(199)))
  expect(describeLines(text)).toBe(numbers(0, 200))
  expect(sink.lostLines()).toBe(0)
  sink.close()
  fifo.close()
})

test('beyond that the oldest are lost, and the place says how many', async () => {
  const fifo = stoppedReader()
  const sink = openLineSink(fifo.writer, { describeLoss, limitBytes: 20_000 })
  write(sink, 0, 200)
  const lost = sink.lostLines()
  expect(lost).toBeGreaterThan(100)
  const text = await readUntil(fifo.read, (said) => said.endsWith(line(199)))
  const kept = describeLines(text)
  const begin = Number(/(\d+) lost/.exec(kept)?.[1]) + 1
  expect(kept).toBe(`${numbers(0, begin)} lost ${lost} ${numbers(begin + lost, 200)}`)
  write(sink, 200, 201)
  expect(describeLines(await readUntil(fifo.read, (said) => said !== ''))).toBe('200')
  sink.close()
  fifo.close()
})

test('a reader that is gone costs lines and throws nothing', () => {
  const fifo = stoppedReader()
  const sink = openLineSink(fifo.writer, { describeLoss, limitBytes: 20_000 })
  closeSync(fifo.reader)
  write(sink, 0, 200)
  expect(sink.lostLines()).toBeGreaterThan(170)
  sink.close()
  closeSync(fifo.writer)
})

test('a device that is always full likewise', () => {
  const device = openSync('/dev/full', 'w')
  const sink = openLineSink(device, { describeLoss, limitBytes: 20_000 })
  write(sink, 0, 200)
  expect(sink.lostLines()).toBe(180)
  sink.close()
  closeSync(device)
})

describe('a disk', () => {
  const disk = openSmallDisk('64k')
  afterAll(() => disk?.remove())

  test.runIf(disk)('full, then with space again: every line is whole and in order', async () => {
    if (!disk) return
    const path = join(disk.folder, 'log')
    const file = openSync(path, 'a')
    const sink = openLineSink(file, { describeLoss, limitBytes: 20_000 })
    write(sink, 0, 5)
    disk.fill()
    write(sink, 5, 50)
    const lost = sink.lostLines()
    expect(lost).toBeGreaterThan(10)
    disk.empty()
    await readUntil(
      () => readFileSync(path, 'utf8'),
      () => readFileSync(path, 'utf8').endsWith(line(49)),
    )
    const begin = 50 - (50 - lost - Number(/(\d+) lost/.exec(describeLines(readFileSync(path, 'utf8')))?.[1]) - 1)
    expect(describeLines(readFileSync(path, 'utf8'))).toBe(
      `${numbers(0, begin - lost)} lost ${lost} ${numbers(begin, 50)}`,
    )
    sink.close()
    closeSync(file)
  })
})

describe('at the end of the program', () => {
  const ends: [how: string, last: string][] = [
    ['process.exit', 'process.exit(3)'],
    ['an error that nobody catches', 'throw new Error("defect")'],
    ['nothing left to do', ''],
  ]
  it.each(ends)('%s: a slow reader gets the last line', async (_, last) => {
    const program = join(folder, `program${number++}.mjs`)
    writeFileSync(
      program,
      `import { openLineSink } from ${JSON.stringify(join(import.meta.dirname, '../../src/base/text/line-sink.ts'))}
      const sink = openLineSink(1, { describeLoss: (lines) => 'lost ' + lines + '\\n' })
      for (let count = 0; count < 150; count++) sink.write('line ' + count + ' ' + 'x'.repeat(990) + '\\n')
      ${last}`,
    )
    const child = spawn(
      'sh',
      ['-c', `"$0" --import tsx ${program} 2>/dev/null | { sleep 0.2; cat; }`, process.execPath],
      {
        cwd: join(import.meta.dirname, '../..'),
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    await once(child, 'close')
    expect(describeLines(text)).toBe(numbers(0, 150))
  })
})
