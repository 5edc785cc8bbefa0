/**
 * The failures a pool reports for a call it refuses: a code with parameters, and the text that `xe` prints for each code
 * (docs/protocol/pool.md, how failures are reported). The texts are those of the pool. A code without a text is unknown to
 * pools and is printed as a bare code.
 */
import { WlbError } from '../base/error.js'
import type { ApiValue } from './value.js'
import { VM_ERRORS } from './vm-errors.js'

/** A failure reported by the pool. It is part of the protocol; code that catches it switches on `code`. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure'
  readonly code: string
  readonly params: readonly string[]

  constructor(code: string, params: readonly string[] = []) {
    super(params.length > 0 ? `${code}: ${params.join(', ')}` : code)
    this.code = code
    this.params = params
  }
}

/** The outcome of a call in either wire form. A failure's description is its code followed by its parameters. */
export type ApiResult =
  | { readonly status: 'success'; readonly value: ApiValue }
  | { readonly status: 'failure'; readonly description: readonly string[] }

export interface ApiErrorEntry {
  readonly text?: string
  readonly params: readonly string[]
}

const BAD_PEM = 'The provided certificate is not in a PEM-encoded X509 format.'
const NOT_YET = 'The provided certificate is not valid yet.'
const EXPIRED = 'The provided certificate has expired.'

const TABLE: readonly (readonly [code: string, params: string, text?: string])[] = [
  ['CERTIFICATE_DOES_NOT_EXIST', 'name', 'The specified certificate does not exist.'],
  ['CERTIFICATE_ALREADY_EXISTS', 'name', 'A certificate already exists with the specified name.'],
  ['CERTIFICATE_NAME_INVALID', 'name', 'The specified certificate name is invalid.'],
  ['CERTIFICATE_CORRUPT', 'name', 'The specified certificate is corrupt or unreadable.'],
  ['CERTIFICATE_LIBRARY_CORRUPT', '', 'The certificate library is corrupt or unreadable.'],
  ['CRL_DOES_NOT_EXIST', 'name', 'The specified CRL does not exist.'],
  ['CRL_ALREADY_EXISTS', 'name', 'A CRL already exists with the specified name.'],
  ['CRL_NAME_INVALID', 'name', 'The specified CRL name is invalid.'],
  ['CRL_CORRUPT', 'name', 'The specified CRL is corrupt or unreadable.'],
  ['CA_CERTIFICATE_INVALID', ''],
  ['CA_CERTIFICATE_NOT_VALID_YET', 'now not_before'],
  ['CA_CERTIFICATE_EXPIRED', 'now not_after'],
  ['TRUSTED_CERTIFICATE_ALREADY_EXISTS', 'fingerprint', 'A trusted certificate already exists with the same purpose.'],
  ['TRUSTED_CERTIFICATE_INVALID', '', BAD_PEM],
  ['TRUSTED_CERTIFICATE_NOT_VALID_YET', 'now not_before', NOT_YET],
  ['TRUSTED_CERTIFICATE_EXPIRED', 'now not_after', EXPIRED],
  ['CERTIFICATE_LACKS_PURPOSE', '', 'No purpose is specified for the provided certificate.'],
  ['NOT_TRUSTED_CERTIFICATE', 'ref', 'The provided certificate is not a trusted certificate.'],
  ['SERVER_CERTIFICATE_INVALID', '', BAD_PEM],
  ['SERVER_CERTIFICATE_NOT_VALID_YET', 'now not_before', NOT_YET],
  ['SERVER_CERTIFICATE_EXPIRED', 'now not_after', EXPIRED],
  ['SERVER_CERTIFICATE_KEY_MISMATCH', '', "The provided key does not match the provided certificate's public key."],
  [
    'SERVER_CERTIFICATE_SIGNATURE_NOT_SUPPORTED',
    '',
    'The provided certificate is not using one of the following SHA2 signature algorithms:  SHA256, SHA512.',
  ],
  [
    'SERVER_CERTIFICATE_CHAIN_INVALID',
    '',
    'The provided intermediate certificates are not in a PEM-encoded X509 format.',
  ],
  [
    'SSL_VERIFY_ERROR',
    'reason',
    "The remote system's SSL certificate failed to verify against our certificate library.",
  ],
  [
    'TLS_CONNECTION_FAILED',
    'address port',
    'Cannot contact the other host using TLS on the specified address and port',
  ],
  ['HOST_OFFLINE', 'host', 'You attempted an operation which involves a host which could not be contacted.'],
  [
    'CANNOT_CONTACT_HOST',
    'host',
    'Cannot forward messages because the server cannot be contacted. The server may be switched off or there may be network connectivity problems.',
  ],
  [
    'POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT',
    '',
    'The host joining the pool has different CA certificates from the pool coordinator while using the same name, uninstall them and try again.',
  ],

  ['WLB_NOT_INITIALIZED', '', 'No WLB connection is configured.'],
  ['WLB_DISABLED', '', 'This pool has wlb-enabled set to false.'],
  ['WLB_CONNECTION_REFUSED', '', 'WLB refused a connection to the server.'],
  ['WLB_UNKNOWN_HOST', '', 'The configured WLB server name failed to resolve in DNS.'],
  ['WLB_TIMEOUT', 'configured_timeout', 'The communication with the WLB server timed out.'],
  [
    'WLB_AUTHENTICATION_FAILED',
    '',
    'Failed to authenticate with the WLB server, the provided credentials are invalid.',
  ],
  ['WLB_MALFORMED_REQUEST', '', "WLB rejected the server's request as malformed."],
  [
    'WLB_MALFORMED_RESPONSE',
    'method reason response',
    "WLB said something that the server wasn't expecting or didn't understand. The method called on WLB, a diagnostic reason, and the response from WLB are returned.",
  ],
  ['WLB_INTERNAL_ERROR', '', 'WLB reported an internal error.'],
  ['WLB_CONNECTION_RESET', '', 'The connection to the WLB server was reset.'],
  [
    'WLB_URL_INVALID',
    'url',
    'The WLB URL is invalid. Ensure it is in the format: <ipaddress>:<port>. The configured/given URL is returned.',
  ],
  [
    'LICENSE_RESTRICTION',
    'feature',
    'This operation is not allowed because your license lacks a needed feature. Please contact your support representative.',
  ],
  [
    'INTERNAL_ERROR',
    'message',
    'The server failed to handle your request, due to an internal error. The given message may give details useful for debugging the problem.',
  ],

  [
    'SESSION_AUTHENTICATION_FAILED',
    '',
    'The credentials given by the user are incorrect, so access has been denied, and you have not been issued a session handle.',
  ],
  [
    'SESSION_INVALID',
    'handle',
    'You gave an invalid session reference. It may have been invalidated by a server restart, or timed out. You should get a new session handle, using one of the session.login_ calls. This error does not invalidate the current connection. The handle parameter echoes the bad value given.',
  ],
  [
    'HOST_IS_SLAVE',
    'Master IP address',
    'You cannot make regular API calls directly on a supporter. Please pass API calls via the coordinator host.',
  ],
  [
    'HANDLE_INVALID',
    'class handle',
    'You gave an invalid object reference. The object may have recently been deleted. The class parameter gives the type of reference given, and the handle parameter echoes the bad value given.',
  ],
  ['UUID_INVALID', 'type uuid', 'The uuid you supplied was invalid.'],
  ['INVALID_VALUE', 'field value', 'The value given is invalid'],
  ['RBAC_PERMISSION_DENIED', 'permission message', 'RBAC permission denied.'],
  ['OTHER_OPERATION_IN_PROGRESS', 'class object', 'Another operation involving the object is currently in progress'],
  [
    'MESSAGE_METHOD_UNKNOWN',
    'method',
    'You tried to call a method that does not exist. The method name that you used is echoed.',
  ],
  [
    'MESSAGE_PARAMETER_COUNT_MISMATCH',
    'method expected received',
    'You tried to call a method with the incorrect number of parameters. The fully-qualified method name that you used, and the number of received and expected parameters are returned.',
  ],
  ...VM_ERRORS,
]

/** Parameter names are separated by spaces. The pool itself uses one name that contains spaces. */
function parameterNames(params: string): readonly string[] {
  if (params === 'Master IP address') return [params]
  return params === '' ? [] : params.split(' ')
}

/** All known codes. A code that is missing here is treated like a code without a text. */
export const API_ERRORS: Readonly<Record<string, ApiErrorEntry>> = Object.fromEntries(
  TABLE.map(([code, params, text]) => {
    const names = parameterNames(params)
    return [code, text === undefined ? { params: names } : { text, params: names }]
  }),
)

/** Whether `xe` prints a text for the code; other codes are sent to it as code and parameters. */
export function isRegistered(code: string): boolean {
  return Object.hasOwn(API_ERRORS, code) && API_ERRORS[code]?.text !== undefined
}

/**
 * Renders the lines the pool prints for a failure: its text, then a line for each parameter. `describeRef` returns
 * `UUID (name)` for a reference it knows. For a code without a text it renders the two lines that the client prints.
 */
export function renderApiFailure(
  failure: Pick<ApiFailure, 'code' | 'params'>,
  describeRef: (value: string) => string | undefined = () => undefined,
): string[] {
  const entry = Object.hasOwn(API_ERRORS, failure.code) ? API_ERRORS[failure.code] : undefined
  if (entry?.text === undefined) return renderBareCode(failure.code, failure.params)
  const names = entry.params.map((name, index) => {
    const value = failure.params[index]
    return `${name}: ${value === undefined ? '<unknown>' : (describeRef(value) ?? value)}`
  })
  const extra = failure.params.slice(entry.params.length).map((value) => `<extra>: ${describeRef(value) ?? value}`)
  return [entry.text, ...names, ...extra]
}

function renderBareCode(code: string, params: readonly string[]): string[] {
  return [`Error code: ${code}`, `Error parameters: ${params.join(', ')}`]
}

/**
 * Converts an `ApiFailure` into a `WlbError` with the pool's own code and text; other errors are returned unchanged. `asOther` is
 * the command for a user with another role.
 */
export function explainRefusal(
  error: unknown,
  asked: string,
  asOther = 'wlb trust status --username USER --password-file FILE',
): unknown {
  if (!(error instanceof ApiFailure)) return error
  const [text = '', ...lines] = renderApiFailure(error)
  const message = text.startsWith('Error code') ? `The pool refused: ${error.code}.` : text
  return new WlbError(
    error.code,
    message,
    { asked, ...Object.fromEntries(lines.map(splitLine)) },
    error.code === 'RBAC_PERMISSION_DENIED' ? asOther : 'wlb trust status',
    error,
  )
}

function splitLine(line: string): [string, string] {
  const at = line.indexOf(': ')
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 2)]
}

/**
 * Judges from the pool's error code whether the appliance answered the pool's call (docs/protocol/pool.md, how failures are
 * reported). `answered`: the pool reached and verified the appliance and was authenticated, but could not use the answer
 * (for example, because the appliance has no diagnostics). `not tried`: the pool did not connect. `failed`: everything else.
 */
export function judgeWlbError(code: string): 'answered' | 'not tried' | 'failed' {
  switch (code) {
    case 'WLB_INTERNAL_ERROR':
    case 'WLB_MALFORMED_RESPONSE':
      return 'answered'
    case 'LICENSE_RESTRICTION':
    case 'WLB_NOT_INITIALIZED':
    case 'WLB_DISABLED':
      return 'not tried'
    default:
      return 'failed'
  }
}
