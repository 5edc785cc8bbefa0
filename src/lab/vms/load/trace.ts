/**
 * Recorded days of processor use in the format of the PlanetLab traces: 288 percentages, one for each five minutes. As
 * published, each virtual machine is a file with a number a line; collected, each is a line `name,number,number,...`.
 */
import { fail } from '../../errors.js'

const SLOTS = 288
const SLOT_SECONDS = 300
const DAY_SECONDS = SLOTS * SLOT_SECONDS

/** One recorded day, repeated for ever. */
export class TraceLine {
  readonly peak: number
  /** Sums of the fractions of all slots before this one. */
  readonly #before: Float64Array
  readonly #fractions: readonly number[]

  constructor(percentages: readonly number[]) {
    this.#fractions = percentages.map((percentage) => percentage / 100)
    this.peak = Math.max(...this.#fractions)
    this.#before = new Float64Array(SLOTS + 1)
    for (const [slot, fraction] of this.#fractions.entries()) {
      this.#before[slot + 1] = (this.#before[slot] ?? 0) + fraction
    }
  }

  /** Returns the mean over `length` seconds that begin at `from`. */
  mean(from: number, length: number): number {
    const begin = from % DAY_SECONDS
    return (this.#until(begin + length) - this.#until(begin)) / length
  }

  #until(time: number): number {
    const days = Math.floor(time / DAY_SECONDS)
    const rest = time - days * DAY_SECONDS
    const slot = Math.floor(rest / SLOT_SECONDS)
    const whole = days * (this.#before[SLOTS] ?? 0) + (this.#before[slot] ?? 0)
    return whole * SLOT_SECONDS + (this.#fractions[slot] ?? 0) * (rest - slot * SLOT_SECONDS)
  }
}

/** Reads a trace with a line for each virtual machine. @throws LAB_TRACE_UNREADABLE with the line */
export function parseTrace(text: string, file: string): TraceLine[] {
  const lines = text.split('\n').map((line) => line.trim())
  const read = lines.flatMap((line, index) => (line === '' ? [] : [parseLine(line, index + 1, file)]))
  if (read.length === 0) throw fail('LAB_TRACE_UNREADABLE', { file, line: 1, reason: 'it has no line' })
  return read
}

function parseLine(line: string, number: number, file: string): TraceLine {
  const unreadable = (reason: string) => fail('LAB_TRACE_UNREADABLE', { file, line: number, reason })
  const [, ...values] = line.split(',')
  if (values.length !== SLOTS) throw unreadable(`it has ${values.length} numbers behind the name, not ${SLOTS}`)
  const wrong = values.find((value) => !/^\d{1,3}(\.\d+)?$/.test(value.trim()) || Number(value) > 100)
  if (wrong !== undefined) throw unreadable(`"${wrong.slice(0, 20)}" is no percentage`)
  return new TraceLine(values.map(Number))
}
