/** How a pool is spoken to: XenAPI in both wire forms, its errors, a client that verifies, and the thin CLI's protocol. */

export { connectXenApi, withSession, type XenApiClient, type XenApiTarget } from './client.js'
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
export { BANNER, decodeBanner, encodeBanner, PROTOCOL_VERSION, type ProtocolVersion } from './thin-cli/banner.js'
export {
  decodeMessage,
  encodeBlob,
  encodeCommand,
  encodeResponse,
  type ThinCliBlob,
  type ThinCliCommand,
  type ThinCliMessage,
  type ThinCliResponse,
} from './thin-cli/message.js'
export { type BannerReading, ThinCliReader, type ThinCliReaderOptions } from './thin-cli/reader.js'
export { type CliRequest, encodeCliRequest } from './thin-cli/request.js'
export { type ApiValue, formatApiDate, isApiMap, isApiSet, NULL_REF, parseApiDate } from './value.js'
export {
  decodeXmlRpcCall,
  decodeXmlRpcResponse,
  encodeXmlRpcCall,
  encodeXmlRpcResponse,
  type XmlRpcCall,
} from './xml-rpc.js'
