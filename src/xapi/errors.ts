/** Errors in the communication with a pool, over XenAPI and the thin CLI. The pool's own codes are in api-failure.ts. */
import { defineErrors } from '../base/error.js'
import { isHostAddress } from '../base/names/host-address.js'
import { shell } from '../base/text/quote-word.js'

export const xapiErrors = defineErrors({
  API_HTTP_STATUS: {
    message: 'The pool answered with an HTTP status instead of a result.',
    facts: ['server', 'status'],
    remedy: 'wlb status',
  },
  API_TIMEOUT: {
    message: 'The pool did not answer in time.',
    facts: ['method', 'waitMs'],
    remedy: 'wlb status',
  },
  API_UNREACHABLE: {
    message: 'The connection to the pool was lost.',
    facts: ['server', 'reason'],
    remedy: 'wlb status',
  },
  DOWNLOAD_FAILED: {
    message: 'The download from the host failed.',
    facts: ['server', 'why'],
    remedy: 'wlb trust status',
  },
  FILE_NOT_PERMITTED: {
    message: 'The server asked for a file that was not named on the command line.',
    facts: ['file'],
    remedy: 'xe help',
  },
  HOST_NOT_PINNED: {
    message: 'The pool records no certificate fingerprint for that host, so the host cannot be verified.',
    facts: ['host'],
    remedy: 'xe certificate-list type=host',
  },
  KNOWN_POOLS_UNREADABLE: {
    message: 'The list of known pools cannot be read.',
    facts: ['path', 'why', 'systemError?'],
    // what it holds is not lost: certificates that were compared, and where passwords are
    remedy: ({ path, systemError }) =>
      systemError === undefined ? shell`mv ${path} ${`${path}.unreadable`}` : shell`ls -l ${path}`,
  },
  POOL_CREDENTIALS_REFUSED: {
    message: 'The pool does not take this user name and password.',
    facts: ['pool', 'userName'],
    remedy: 'wlb trust status --username USER --password-file FILE',
  },
  POOL_MEMBER_GIVEN: {
    message: 'That host is a member of the pool; give the address of its coordinator.',
    facts: ['given', 'coordinator'],
    remedy: ({ given, coordinator }) => {
      const port = String(given).replace(/^.*:/, '')
      const host = String(coordinator)
      if (!isHostAddress(host)) return 'wlb trust status --pool https://COORDINATOR'
      return shell`wlb trust status --pool https://${host.includes(':') ? `[${host}]` : host}:${port}`
    },
  },
  RPC_MALFORMED: {
    message: 'The message is not a XenAPI call or answer.',
    facts: ['reason'],
    remedy: 'wlb --help',
  },
  THIN_CLI_FOREIGN: {
    message: 'No management agent answers there.',
    facts: [],
    remedy: 'xe help',
  },
  THIN_CLI_HTTP: {
    message: 'The server refused the request.',
    facts: ['answer'],
    remedy: 'xe help',
  },
  THIN_CLI_LOST: {
    message: 'The connection ended before the command was complete.',
    facts: ['reason'],
    remedy: 'xe help',
  },
  THIN_CLI_MALFORMED: {
    message: 'The other side does not speak the thin CLI protocol.',
    facts: ['found'],
    remedy: 'xe help',
  },
  THIN_CLI_SILENT: {
    message: 'The server closed the connection without sending anything.',
    facts: [],
    remedy: 'xe help',
  },
  THIN_CLI_VERSION: {
    message: 'The server speaks another version of the protocol.',
    facts: ['server', 'client'],
    remedy: 'xe -version',
  },
  TRANSFER_FILE_UNUSABLE: {
    message: 'The file of a transfer cannot be used on this side.',
    facts: ['why'],
    remedy: 'xe help',
  },
  TRANSFER_REFUSED: {
    message: 'The server refused the transfer.',
    facts: ['path', 'status'],
    remedy: 'xe help',
  },
  UPLOAD_FAILED: {
    message: 'The connection to the server ended while a file was being sent.',
    facts: ['file'],
    remedy: 'xe help',
  },
})
export const { fail } = xapiErrors
