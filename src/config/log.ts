/** The log: a JSON object a line. Secrets are kept out by not logging them; this is the net below. */
import pino, { type DestinationStream, type Logger } from 'pino'
import { WlbError } from '../base/error.js'
import { type LineSink, openLineSink } from '../base/text/line-sink.js'

export interface Log extends Logger {
  /** How many lines the destination did not take, since the start. */
  lostLines(): number
}

const SECRETS = [
  'password',
  'passwordHash',
  'sealedPassword',
  'privateKeyPem',
  'authorization',
  'databaseUrl',
  'session',
]

/** Of one text in a line: what a pool or a server says has no other limit here. */
const TEXT_LIMIT = 2000
/** Of objects in objects. */
const DEPTH_LIMIT = 5

const STANDARD_ERROR = 2

/** Standard error unless told otherwise, and written at once: the last line before a crash is the one that counts. */
export function openLog(destination: DestinationStream | LineSink = openStandardError()): Log {
  const log = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: limitRecord },
      hooks: {
        logMethod([first, message, ...values], method) {
          method.call(this, limitText(first), limitText(message), ...values)
        },
      },
      serializers: { err: describeError },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' },
    },
    destination,
  )
  return Object.assign(log, { lostLines: 'lostLines' in destination ? destination.lostLines : () => 0 })
}

function openStandardError(): LineSink {
  return openLineSink(STANDARD_ERROR, {
    describeLoss: (lines) =>
      `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lost: lines, msg: 'log lines were lost' })}\n`,
  })
}

/** Its own words only: a database's error carries the values of the statement that failed. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, stack } = error
  const message = limitText(error.message)
  const code = 'code' in error ? { code: error.code } : {}
  if (error instanceof WlbError) return { name, message, ...code, facts: limitRecord(error.facts) }
  return isDefect(error) ? { name, message, ...code, stack: limitText(stack) } : { name, message, ...code }
}

/** What the network, the disk and the database refuse has a code. So have wrong calls of Node's functions, which are ours. */
function isDefect(error: Error): boolean {
  return !('code' in error) || error instanceof TypeError || error instanceof RangeError
}

function limitRecord(record: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, limitValue(value, DEPTH_LIMIT)]))
}

function limitValue(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) return depth > 0 ? value.map((item) => limitValue(item, depth - 1)) : '[...]'
  if (!isPlain(value)) return limitText(value)
  if (depth === 0) return '{...}'
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, limitValue(item, depth - 1)]))
}

/** Others, such as errors and dates, have a form of their own in the log. */
function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function limitText<T>(value: T): T | string {
  if (typeof value !== 'string' || value.length <= TEXT_LIMIT) return value
  return `${value.slice(0, TEXT_LIMIT)}... (${value.length} characters)`
}
