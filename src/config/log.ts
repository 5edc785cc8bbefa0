/** The log: a JSON object a line. Secrets are kept out by not logging them; this is the net below. */
import pino, { type DestinationStream, type Logger } from 'pino'

export type Log = Logger

const SECRETS = [
  'password',
  'passwordHash',
  'sealedPassword',
  'privateKeyPem',
  'authorization',
  'databaseUrl',
  'session',
]

/** Standard error unless told otherwise, and written at once: the last line before a crash is the one that counts. */
export function openLog(destination: DestinationStream = pino.destination({ dest: 2, sync: true })): Log {
  return pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' },
    },
    destination,
  )
}

/** Its own words only: a database's error carries the values of the statement that failed. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack } = error
  const code = 'code' in error ? { code: error.code } : {}
  return { name, message, ...code, stack }
}
