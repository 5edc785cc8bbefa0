/** How a pool is spoken to: XenAPI in both wire forms, its errors, a client that verifies, and the thin CLI's protocol. */
export { API_ERRORS, isRegistered, renderApiFailure } from './errors.js'
export { ApiFailure, type ApiResult } from './failure.js'
export {
  decodeJsonRpcCall,
  decodeJsonRpcResponse,
  encodeJsonRpcCall,
  encodeJsonRpcResponse,
  type JsonRpcCall,
  type JsonRpcResponse,
} from './json-rpc.js'
export { type ApiValue, formatApiDate, isApiMap, isApiSet, NULL_REF, parseApiDate } from './value.js'
export {
  decodeXmlRpcCall,
  decodeXmlRpcResponse,
  encodeXmlRpcCall,
  encodeXmlRpcResponse,
  type XmlRpcCall,
} from './xml-rpc.js'
