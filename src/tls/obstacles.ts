/** What ends a pool's connection before or after its certificates are judged; stunnel logs no `CERT:` line for it. */
import type { TlsFailure } from './pool-client.js'

interface Description {
  readonly message: string
  readonly remedy: string
}

const REQUEST = 'wlb cert request'
const INSPECT = 'openssl s_client -connect HOST:8012 -tls1_2 -curves secp384r1 </dev/null'
const INSTALL_ROOT = 'xe pool-install-ca-certificate filename=ROOT.pem; xe pool-certificate-sync'

const OBSTACLES = {
  BUNDLE_UNUSABLE: {
    message: 'The host has no bundle that stunnel can load, so it does not connect at all',
    remedy: INSTALL_ROOT,
  },
  KEY_NOT_RSA: {
    message: 'The key of the server is not RSA, and both suites a pool offers need one',
    remedy: REQUEST,
  },
  TLS_1_3_ONLY: { message: 'The server speaks TLS 1.3 alone, and a pool speaks TLS 1.2', remedy: INSPECT },
  TLS_TOO_OLD: { message: 'The server speaks TLS 1.1 at most, and a pool speaks TLS 1.2', remedy: INSPECT },
  NO_COMMON_SUITE: {
    message: 'The server allows neither ECDHE-RSA-AES256-GCM-SHA384 nor ECDHE-RSA-AES128-GCM-SHA256',
    remedy: INSPECT,
  },
  NO_COMMON_CURVE: { message: 'The server does not allow secp384r1, the one curve a pool offers', remedy: INSPECT },
  CERTIFICATES_TOO_LONG: {
    message: 'The certificates sent are longer than the 102400 bytes OpenSSL takes',
    remedy: 'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem',
  },
  CERTIFICATE_UNREADABLE: {
    message: 'The server sends something OpenSSL cannot read as a certificate',
    remedy: INSPECT,
  },
  NAME_NOT_SERVED: {
    message: 'The server breaks off when it is told the name, and answers without one',
    remedy: INSPECT,
  },
  NOT_TLS: {
    message: 'Something else than TLS answers there',
    remedy: 'xe pool-initialize-wlb wlb_url=FQDN:8012',
  },
  CLIENT_CERTIFICATE_DEMANDED: {
    message: 'The server demands a client certificate, and a pool has none: it shows a password',
    remedy: INSPECT,
  },
  UNEXPLAINED: { message: 'The server breaks off whatever it is offered', remedy: INSPECT },
} as const satisfies Readonly<Record<string, Description>>

export type ObstacleCode = keyof typeof OBSTACLES
/** Those a server shows when it is asked for a handshake. */
export type HandshakeObstacleCode = Exclude<ObstacleCode, 'BUNDLE_UNUSABLE' | 'NOT_TLS' | 'CLIENT_CERTIFICATE_DEMANDED'>

export interface Obstacle {
  readonly code: ObstacleCode
  readonly message: string
  readonly remedy: string
  /** What stunnel logs in its place. */
  readonly logText: string
  readonly failure: TlsFailure
}

/** `evidence` is what was found. */
export function makeObstacle(code: ObstacleCode, logText: string, evidence = ''): Obstacle {
  const { message, remedy } = OBSTACLES[code]
  const failure: TlsFailure =
    code === 'BUNDLE_UNUSABLE' ? { kind: 'stunnel', indicator: 'Configuration failed' } : { kind: 'reset' }
  return { code, message: `${message}${evidence === '' ? '' : `: ${evidence}`}.`, remedy, logText, failure }
}

/** SSL_MAX_CERT_LIST_DEFAULT, for the body of the Certificate message: three bytes of length before each, and before all. */
const LONGEST_CHAIN = 100 * 1024

export function isTooLong(certificates: readonly Buffer[]): boolean {
  return 3 + certificates.reduce((total, { length }) => total + 3 + length, 0) > LONGEST_CHAIN
}
