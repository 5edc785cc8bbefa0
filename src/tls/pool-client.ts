/**
 * A pool's TLS client towards its appliance: what it offers, what one connection needs, how it fails, and which error xapi raises
 * (docs/protocol/pool.md, docs/protocol/wlb.md).
 */

import type { Duplex } from 'node:stream'
import { isAddress } from '../base/names/ip-address.js'

/** What a pool offers, and nothing else. */
export const POOL_TLS = {
  version: 'TLSv1.2',
  /** Both need an RSA key. */
  ciphers: ['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES128-GCM-SHA256'],
  curve: 'secp384r1',
} as const

/** The same as options of Node's TLS. stunnel's security level is 2; 0 is for connections on which nothing is judged. */
export function poolTlsOptions(securityLevel: 0 | 2) {
  return {
    minVersion: POOL_TLS.version,
    maxVersion: POOL_TLS.version,
    ciphers: `${POOL_TLS.ciphers.join(':')}:@SECLEVEL=${securityLevel}`,
    ecdhCurve: POOL_TLS.curve,
    ca: [], // left out it would mean Node's own roots
  }
}

/** The server name to send: stunnel sends addresses too, but RFC 6066, 3 forbids it and Node warns. */
export function sniOf(name: string | undefined): string | undefined {
  return name === undefined || isAddress(name) ? undefined : name
}

export interface PoolDial {
  readonly client: 'node' | 'stunnel'
  /** The host part of `wlb_url`: what the certificate must speak for, and the server name sent. */
  readonly serverName: string
  /** The address it was resolved to. */
  readonly address: string
  readonly port: number
  /** Without it nothing at all is verified, as on a pool with `wlb-verify-cert=false`. */
  readonly verify:
    | undefined
    | {
        readonly bundlePath: string
        readonly crlDirectory: string
        /** Another time than the system's; stunnel needs libfaketime for it. */
        readonly now?: () => Date
        /** As pools did before December 2024 (`verifyPeer`): the bundle must hold the leaf's own name and key. */
        readonly pinsLeaf?: boolean
      }
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export type PoolConnection =
  | { readonly state: 'connected'; readonly stream: Duplex }
  /** `log` is stunnel's, or what stunnel would have written. */
  | { readonly state: 'failed'; readonly failure: TlsFailure; readonly log: string }

export const STUNNEL_INDICATORS = [
  'Configuration failed',
  'Connection refused',
  'No host resolved',
  'No route to host',
  'Invalid argument',
  'Address already in use',
] as const

export type StunnelIndicator = (typeof STUNNEL_INDICATORS)[number]

const INDICATORS: Readonly<Record<string, StunnelIndicator>> = {
  ECONNREFUSED: 'Connection refused',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  ENOTFOUND: 'No host resolved',
  EAI_AGAIN: 'No host resolved',
  EADDRINUSE: 'Address already in use',
}

/** The phrase in stunnel's log for a system error that a pool recognises. */
export function indicatorOf({ code }: NodeJS.ErrnoException): StunnelIndicator | undefined {
  return INDICATORS[code ?? '']
}

export type TlsFailure =
  /** The certificate was refused; `reason` is stunnel's text and may be empty. */
  | { readonly kind: 'verify'; readonly reason: string }
  | { readonly kind: 'stunnel'; readonly indicator: StunnelIndicator }
  /** Nothing in the log says why. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'timeout' }

/** Whether the code of an error is a verdict of OpenSSL: codes of Node and of the system begin with E. */
export function isVerifyCode(code: string | undefined): code is string {
  return code !== undefined && !/^(E[A-Z]+$|ERR_)/.test(code)
}

/** The error xapi raises for a failed connection: its name and its parameters, as XenAPI carries them. */
export type PoolError = readonly [code: string, ...parameters: string[]]

/** `url` is `host:port`; `timeoutMs` is the time the whole request had. */
export function poolErrorOf(failure: TlsFailure, url: string, timeoutMs: number): PoolError {
  switch (failure.kind) {
    case 'verify':
      return ['SSL_VERIFY_ERROR', failure.reason]
    case 'reset':
      return ['WLB_CONNECTION_RESET']
    case 'timeout':
      return ['WLB_TIMEOUT', floatText(timeoutMs / 1000)]
    case 'stunnel':
      switch (failure.indicator) {
        case 'Connection refused':
          return ['WLB_CONNECTION_REFUSED']
        case 'No host resolved':
        case 'No route to host':
          return ['WLB_UNKNOWN_HOST']
        case 'Invalid argument':
          return ['WLB_URL_INVALID', url]
        case 'Configuration failed':
        case 'Address already in use':
          return ['INTERNAL_ERROR', `Connection failed: ${failure.indicator.toLowerCase()}.`]
      }
  }
}

/** A number as OCaml prints a float: twelve digits at most, and a point even where nothing follows it. */
export function floatText(value: number): string {
  const [mantissa = '', exponent] = value.toExponential(11).split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 12) {
    const digits = String(Number(value.toPrecision(12)))
    return digits.includes('.') ? digits : `${digits}.`
  }
  const sign = power < 0 ? '-' : '+'
  return `${Number(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, '0')}`
}
