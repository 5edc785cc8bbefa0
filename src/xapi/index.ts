/** How a pool is spoken to: XenAPI in both wire forms, its errors, a client that verifies, and the thin CLI's protocol. */

export { connectXenApi, withSession, type XenApiClient, type XenApiTarget } from './client.js'
export { type Download, download } from './download.js'
export { API_ERRORS, isRegistered, renderApiFailure } from './errors.js'
export { ApiFailure, type ApiResult } from './failure.js'
export {
  decodeJsonRpcCall,
  decodeJsonRpcResponse,
  encodeJsonRpcCall,
  encodeJsonRpcResponse,
} from './json-rpc.js'
export { BANNER, encodeBanner, PROTOCOL_VERSION } from './thin-cli/banner.js'
export {
  decodeMessage,
  encodeBlob,
  encodeCommand,
  encodeResponse,
  type ThinCliCommand,
  type ThinCliMessage,
} from './thin-cli/message.js'
export { ThinCliReader } from './thin-cli/reader.js'
export { encodeCliRequest } from './thin-cli/request.js'
export { type ApiValue, formatApiDate, isApiMap, isApiSet, NULL_REF, parseApiDate } from './value.js'
export {
  decodeXmlRpcCall,
  decodeXmlRpcResponse,
  encodeXmlRpcCall,
  encodeXmlRpcResponse,
} from './xml-rpc.js'
