/** Public API of xapi: calls to a pool over XML-RPC and JSON-RPC, pool sessions and records, and the thin CLI protocol. */
export {
  API_ERRORS,
  ApiFailure,
  type ApiResult,
  explainRefusal,
  isRegistered,
  judgeWlbError,
  renderApiFailure,
} from './api-failure.js'
export { connectXenApi, type XenApiClient, type XenApiTarget } from './client.js'
export { download } from './download.js'
export { decodeJsonRpcCall, decodeJsonRpcResponse, encodeJsonRpcCall, encodeJsonRpcResponse } from './json-rpc.js'
export { configFolder, type KnownPool, readKnownPools, rememberPool } from './pool/known-pools.js'
export {
  ApiRecord,
  type HostFacts,
  type InstalledCertificate,
  type PoolFacts,
  type Records,
  readHosts,
  readInstalled,
  readPool,
  readRecords,
  verifiesByPeer,
} from './pool/pool-records.js'
export {
  type CallLimits,
  openPool,
  type PinnedHost,
  type PoolAccess,
  type PoolSession,
  withPool,
} from './pool/pool-session.js'
export { formatWlbAddress, parseWlbAddress, type WlbAddress } from './pool/wlb-address.js'
export type { ThinCliTerminal } from './thin-cli/client.js'
export {
  BANNER,
  decodeMessage,
  encodeBanner,
  encodeBlob,
  encodeCliRequest,
  encodeCommand,
  encodeResponse,
  PROTOCOL_VERSION,
  type ThinCliCommand,
  type ThinCliMessage,
} from './thin-cli/message.js'
export { ThinCliReader } from './thin-cli/reader.js'
export type { TransferTarget } from './thin-cli/transfer.js'
export { type ApiValue, formatApiDate, isApiMap, isApiSet, NULL_REF, parseApiDate } from './value.js'
export { decodeXmlRpcCall, decodeXmlRpcResponse, encodeXmlRpcCall, encodeXmlRpcResponse } from './xml-rpc.js'
