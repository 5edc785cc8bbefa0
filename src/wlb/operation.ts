/** What an operation is: a name, the children of its request, the contents of its result, each for both directions. */
import type { XmlElement } from '../base/xml.js'
import type { RequestShape } from './arguments.js'
import type { PoolResult } from './pool-result.js'

export interface Operation<Method extends string, Request, Result> {
  readonly method: Method
  readonly request: RequestShape<Request>
  readonly result: ResultShape<Result>
  /** @throws ArgumentRefused when an argument is missing or unusable. */
  readCall(request: XmlElement): { readonly method: Method; readonly request: Request }
}

export interface ResultShape<Result> {
  /** The inside of `<Method>Result` on success. */
  write(result: Result): string
  /** Reads as a pool does. @throws ReplyRejected where the pool raises an error. */
  read(result: PoolResult): Result
  /** A download's result is looked through for a `ResultCode` only when its payload is missing. */
  readonly kind: 'call' | 'download'
}

export function operation<Method extends string, Request, Result>(
  method: Method,
  request: RequestShape<Request>,
  result: ResultShape<Result>,
): Operation<Method, Request, Result> {
  return { method, request, result, readCall: (element) => ({ method, request: request.read(element) }) }
}
