/** What the pool's API says when its connection to WLB fails (docs/protocol/wlb.md, failures). */
import { floatText, poolErrorOf, type TlsFailure } from '../../tls/index.js'
import { ApiFailure } from '../../xapi/index.js'
import type { WlbAddress } from './wlb-url.js'

/** Turns a failed handshake into the API's failure; `timeoutMs` is the time the whole request had. */
export function apiFailureOf(failure: TlsFailure, { host, port }: WlbAddress, timeoutMs: number): ApiFailure {
  const [code, ...parameters] = poolErrorOf(failure, `${host}:${port}`, timeoutMs)
  return new ApiFailure(code, parameters)
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
