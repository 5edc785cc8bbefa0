/** The configuration a pool hands to stunnel for its connection to the appliance, line by line (docs/protocol/pool.md). */
import { POOL_TLS } from './pool-limits.js'

export interface StunnelSettings {
  /** A name or an address; stunnel splits at the last colon, so IPv6 takes no brackets. */
  readonly connectHost: string
  readonly port: number
  /** 5, or 7 where a host asks for debugging. */
  readonly debugLevel?: 5 | 7
  readonly idleTimeoutSeconds?: number
  /** Sent as server name; without it stunnel sends `connectHost`. */
  readonly sni?: string
  readonly verify?: {
    /** The name the certificate must speak for. */
    readonly checkHost: string
    readonly bundlePath: string
    /** Only where the folder has an entry. */
    readonly crlDirectory?: string
    /** The leaf itself must be in the bundle, as on pools of before December 2024. */
    readonly pinsLeaf?: boolean
  }
}

/** Writes the text for `stunnel -fd`. An unset line stays as an empty one, as in a pool's own. */
export function stunnelConfiguration(settings: StunnelSettings): string {
  const { connectHost, port, debugLevel = 5, idleTimeoutSeconds, sni, verify } = settings
  const lines = [
    'client=yes',
    'foreground=yes',
    'socket = r:TCP_NODELAY=1',
    'socket = r:SO_KEEPALIVE=1',
    'socket = a:SO_KEEPALIVE=1',
    idleTimeoutSeconds === undefined ? '' : `TIMEOUTidle = ${idleTimeoutSeconds}`,
    'fips=no',
    `debug=authpriv.${debugLevel}`,
    `connect=${connectHost}:${port}`,
    `sslVersion = ${POOL_TLS.version}`,
    `ciphers = ${POOL_TLS.ciphers.join(':')}`,
    `curve = ${POOL_TLS.curve}`,
  ]
  const sniLine = sni === undefined ? '' : `sni = ${sni}`
  if (!verify) return [...lines, ...(sniLine ? [sniLine] : []), ''].join('\n')
  const nameCheck = `checkHost=${verify.checkHost}`
  return [
    ...lines,
    ...(verify.pinsLeaf ? [nameCheck, 'verifyPeer=yes'] : ['verifyChain=yes', nameCheck]),
    '',
    '# use SNI to request a specific cert. CAfile contains',
    '# public certs of all hosts in the pool and must contain',
    '# the cert of the server we connect to',
    sniLine,
    `CAfile=${verify.bundlePath}`,
    verify.crlDirectory === undefined ? '' : `CRLpath=${verify.crlDirectory}`,
    '',
  ].join('\n')
}
