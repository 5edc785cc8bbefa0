/** What `xe` prints when a connection fails or breaks, in the real client's words (docs/protocol/thin-cli.md). */
import { WlbError } from '../../base/error.js'

export interface FailureText {
  readonly lines: readonly string[]
  readonly withUsage: boolean
}

/** The operating system's text for socket errors; other errors are printed by their name. */
const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EPIPE: 'Broken pipe',
  ETIMEDOUT: 'Connection timed out',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EACCES: 'Permission denied',
  ENOENT: 'No such file or directory',
  EMFILE: 'Too many open files',
}

/** Lines for stderr about any failure of a conversation with `server`. */
export function describeFailure(error: unknown, server: string): FailureText {
  const plain = (...lines: string[]): FailureText => ({ lines, withUsage: false })
  if (!(error instanceof WlbError)) return plain(...describeSystemError(error, server))
  switch (error.code) {
    case 'THIN_CLI_SILENT':
      return plain('Unable to contact server. Please check server and port settings.')
    case 'THIN_CLI_HTTP':
      return plain('Server internal error.')
    case 'THIN_CLI_FOREIGN':
      return {
        lines: ['Failed to contact a running management agent.', 'Try specifying a server name and port.'],
        withUsage: true,
      }
    case 'THIN_CLI_VERSION':
      return {
        lines: [
          `Protocol version mismatch: Server has protocol version ${error.facts.server}. Client has ${error.facts.client}.`,
          'Try specifying a server name and port on the command-line.',
        ],
        withUsage: true,
      }
    case 'TLS_FAILED':
      return plain('Unable to contact server. Please check server and port settings.', `  why: ${error.facts.why}`)
    case 'THIN_CLI_LOST':
      return plain('Lost connection to the server.')
    case 'UPLOAD_FAILED':
      return plain(`Failed to upload file ${error.facts.file}`)
    case 'FILE_NOT_PERMITTED':
      return plain(
        `File not permitted: Blocked upload/download of the file ${error.facts.file}, which was requested by the server. The file name was not present on the command line`,
        '.',
      )
    case 'HOST_UNKNOWN':
      return plain(`Host '${server}' not found.`)
    case 'THIN_CLI_MALFORMED':
      return plain('Unhandled exception', `${error.message} (${error.facts.found})`)
    default:
      return plain(...describeRest(error, server))
  }
}

/** Connecting or verifying the certificate failed: the facts are printed. */
function describeRest(error: WlbError, server: string): string[] {
  const system = systemCode(error.cause)
  if (system !== undefined) return describeSystemError(error.cause, server)
  return [`Error: ${error.message}`, ...Object.entries(error.facts).map(([name, value]) => `  ${name}: ${value}`)]
}

function describeSystemError(error: unknown, server: string): string[] {
  const code = systemCode(error)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NODATA') return [`Host '${server}' not found.`]
  if (code === undefined) return ['Unhandled exception', error instanceof Error ? error.message : String(error)]
  const call = error instanceof Error && 'syscall' in error ? String(error.syscall) : 'connect'
  return [`Error: ${SYSTEM_TEXTS[code] ?? code} (calling ${call} ${subject(error)})`]
}

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return /^E[A-Z]+(_[A-Z]+)?$/.test(error.code) && !error.code.startsWith('ERR') ? error.code : undefined
}

function subject(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('path' in error && typeof error.path === 'string') return error.path
  return 'address' in error && 'port' in error ? `${error.address}:${error.port}` : ''
}
