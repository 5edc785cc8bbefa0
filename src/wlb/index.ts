/** Public API of wlb: the protocol between a pool and an appliance, for both sides of the connection. */
export type { Pair } from './operation.js'
export type { MethodName, ResultOf, WlbCall, WlbReply } from './operations.js'
export { applyChanges, completeConfiguration, defaultPoolConfiguration } from './pool-configuration.js'
export {
  encodeFault,
  encodeRefusal,
  encodeReply,
  type PoolResponse,
  RESULT_CODES,
  type ResponseHead,
  readReply,
  readResponseHead,
} from './reply.js'
export { decodeRequest, encodeRequest, requestHead } from './request.js'
export { BODY_LIMIT_BYTES, SERVICE_PATH } from './service.js'
