/** What a pool answers when it understood a call and will not do it: a code and its parameters, as they travel. */
import { WlbError } from '../base/error.js'
import type { ApiValue } from './value.js'

/** Expected, and part of the protocol. Whoever catches it switches on `code` (docs/protocol/pool.md, how failures are reported). */
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

/** How a call ended, on either wire; a failure's description is its code and then its parameters. */
export type ApiResult =
  | { readonly status: 'success'; readonly value: ApiValue }
  | { readonly status: 'failure'; readonly description: readonly string[] }

/** A message that is not XenAPI at all: the sender's mistake, where `ApiFailure` is an answer. */
export function malformedMessage(reason: string): WlbError {
  return new WlbError('RPC_MALFORMED', 'The message is not a XenAPI call or answer.', { reason }, 'wlb --help')
}
