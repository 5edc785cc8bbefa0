/** The error xapi raises for a failed connection to the appliance (docs/protocol/wlb.md, failures). */
import type { TlsFailure } from './failure.js'

/** The error's name and its parameters, as XenAPI carries them. `url` is `host:port`. */
export type PoolError = readonly [code: string, ...parameters: string[]]

/** `timeoutMs` is the time the whole request had. */
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
