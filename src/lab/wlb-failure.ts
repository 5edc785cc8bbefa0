/** What the pool's API says when its connection to WLB fails (docs/protocol/wlb.md, failures). */
import type { TlsFailure } from '../tls/index.js'
import { ApiFailure } from '../xapi/index.js'
import type { WlbAddress } from './wlb-url.js'

/** Turns a failed handshake into the API's failure; `timeoutMs` is the time the whole request had. */
export function apiFailureOf(failure: TlsFailure, { host, port }: WlbAddress, timeoutMs: number): ApiFailure {
  switch (failure.kind) {
    case 'verify':
      return new ApiFailure('SSL_VERIFY_ERROR', [failure.reason])
    case 'reset':
      return connectionReset()
    case 'timeout':
      return timedOut(timeoutMs)
    case 'stunnel':
      switch (failure.indicator) {
        case 'Connection refused':
          return new ApiFailure('WLB_CONNECTION_REFUSED', [])
        case 'No host resolved':
        case 'No route to host':
          return unknownHost()
        case 'Invalid argument':
          return new ApiFailure('WLB_URL_INVALID', [`${host}:${port}`])
        case 'Configuration failed':
        case 'Address already in use':
          return new ApiFailure('INTERNAL_ERROR', [`Connection failed: ${failure.indicator.toLowerCase()}.`])
      }
  }
}

/** The same for people: the words of the pool's log. */
export function reasonOf(failure: TlsFailure): string {
  switch (failure.kind) {
    case 'verify':
      return failure.reason === '' ? 'certificate verify failed' : failure.reason
    case 'stunnel':
      return failure.indicator
    case 'reset':
      return 'Connection reset'
    case 'timeout':
      return 'Timed out'
  }
}

export function connectionReset(): ApiFailure {
  return new ApiFailure('WLB_CONNECTION_RESET', [])
}

export function unknownHost(): ApiFailure {
  return new ApiFailure('WLB_UNKNOWN_HOST', [])
}

export function timedOut(timeoutMs: number): ApiFailure {
  return new ApiFailure('WLB_TIMEOUT', [floatText(timeoutMs / 1000)])
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
