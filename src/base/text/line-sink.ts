/**
 * Lines of a program that must go on: a full disk, a reader that has stopped and one that is gone cost lines, never the program.
 * A line is written at once where that is possible. What the destination does not take waits, up to a limit; beyond it the
 * oldest line is lost, and the next line that can be written says how many were.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { systemCode } from '../files/file-failure.js'

export interface LineSink {
  /** Takes `line`, which ends in a newline. Neither waits nor throws. */
  write(line: string): void
  /** Since the beginning. */
  lostLines(): number
  /** Writes what waits, if it can be written by then. */
  close(): void
}

export interface LineSinkOptions {
  /** The line that says how many were lost. */
  readonly describeLoss: (lines: number) => string
  /** Of what waits. */
  readonly limitBytes?: number
}

const LIMIT_BYTES = 1_000_000
/** Twice as long each time that nothing could be written: a busy reader is not a stopped one. */
const FIRST_RETRY_MS = 5
const LAST_RETRY_MS = 500
/** At the end of the program, for a reader that is slow and not gone. */
const LAST_WAIT_MS = 500
const LAST_PAUSE_MS = 10

/** Writes to a descriptor that is open, such as 2; what waits is written at the end of the program too. */
export function openLineSink(descriptor: number, options: LineSinkOptions): LineSink {
  const { describeLoss, limitBytes = LIMIT_BYTES } = options
  const { file, closeFile } = withoutWaiting(descriptor)
  const waiting: Buffer[] = []
  let waitingBytes = 0
  let lost = 0
  let lostUnsaid = 0
  /** The first of `waiting` is half written: it is not for dropping, and nothing goes before it. */
  let isBegun = false
  let timer: NodeJS.Timeout | undefined
  let retryMs = FIRST_RETRY_MS

  /** Why not all could be written; undefined when nothing waits any more. */
  const flush = (): string | undefined => {
    for (;;) {
      if (lostUnsaid > 0 && !isBegun) sayLoss()
      const [line] = waiting
      if (!line) return undefined
      const wrote = tryWrite(file, line)
      if (typeof wrote === 'string') return wrote
      waitingBytes -= wrote
      retryMs = FIRST_RETRY_MS
      isBegun = wrote < line.length
      if (isBegun) waiting[0] = line.subarray(wrote)
      else waiting.shift()
    }
  }
  const sayLoss = () => {
    const line = Buffer.from(describeLoss(lostUnsaid))
    const wrote = tryWrite(file, line)
    if (typeof wrote === 'string') return
    lostUnsaid = 0
    if (wrote === line.length) return
    waiting.unshift(line.subarray(wrote))
    waitingBytes += line.length - wrote
    isBegun = true
  }
  const dropOldest = () => {
    while (waitingBytes > limitBytes && waiting.length > (isBegun ? 1 : 0)) {
      const [dropped] = waiting.splice(isBegun ? 1 : 0, 1)
      waitingBytes -= dropped?.length ?? 0
      lost++
      lostUnsaid++
    }
  }
  const flushAndRetry = () => {
    clearTimeout(timer)
    timer = flush() === undefined ? undefined : setTimeout(flushAndRetry, retryMs).unref()
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
  }
  const flushAtEnd = () => {
    const endMs = performance.now() + LAST_WAIT_MS
    while (flush() === 'EAGAIN' && performance.now() < endMs)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_PAUSE_MS)
  }
  process.once('exit', flushAtEnd)
  return {
    write: (line) => {
      const bytes = Buffer.from(line)
      waiting.push(bytes)
      waitingBytes += bytes.length
      if (timer === undefined) flushAndRetry()
      dropOldest()
    },
    lostLines: () => lost,
    close: () => {
      process.off('exit', flushAtEnd)
      clearTimeout(timer)
      flushAtEnd()
      closeFile()
    },
  }
}

/** The bytes written, or the code of the system's error. */
function tryWrite(file: number, line: Buffer): number | string {
  try {
    return writeSync(file, line)
  } catch (error) {
    return systemCode(error) ?? 'unknown'
  }
}

/**
 * A pipe or a terminal is opened once more, so that writing to a full one fails instead of waiting, for us and not for the others
 * that have it open. A file never waits. A socket cannot be opened again; Node's own stream over it sets it not to wait.
 */
function withoutWaiting(descriptor: number): { readonly file: number; closeFile(): void } {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
  const found = fstatSync(descriptor)
  if (found.isFIFO() || isatty(descriptor)) {
    try {
      const file = openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
      return { file, closeFile: () => closeSync(file) }
    } catch {
      // a pipe whose reader is gone already, or another user's terminal
    }
  }
  if (!found.isFile()) {
    const stream = descriptor === 1 ? process.stdout : process.stderr
    stream.on('error', () => {})
  }
  return { file: descriptor, closeFile: () => {} }
}
