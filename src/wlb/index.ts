/** Public API of wlb: the protocol between a pool and an appliance, for both sides of the connection. */
export type { MethodName, ResultOf, WlbCall, WlbReply } from './operations.js'
export type { Pair } from './pairs.js'
export { applyChanges, completeConfiguration, defaultPoolConfiguration } from './pool-configuration.js'
export { encodeFault, encodeRefusal, encodeReply, type PoolResponse, readReply } from './reply.js'
export { decodeRequest, encodeRequest, requestHead } from './request.js'
export { type ResponseHead, readResponseHead } from './response-head.js'
export { RESULT_CODES } from './result-codes.js'
export { BODY_LIMIT_BYTES, SERVICE_PATH } from './service.js'
