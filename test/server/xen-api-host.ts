/** A host that speaks just enough XenAPI for a registration, and can misbehave in each way the appliance must survive. */
import type { Socket } from 'node:net'
import { startTlsListener, type TlsListener } from '../../src/tls/index.js'
import { createSelfSigned, type Identity } from '../../src/x509/index.js'
import { type ApiResult, type ApiValue, decodeJsonRpcCall, encodeJsonRpcResponse } from '../../src/xapi/index.js'
import { cacheForFile } from '../file-cache.js'
import { OWN_ADDRESS } from '../run-folder.js'

export interface XenApiHost {
  readonly address: string
  /** What a registration names: the appliance adds 363. */
  readonly url: string
  readonly tlsPort: number
  readonly fingerprint: () => string
  /** Methods called, in order. */
  readonly calls: string[]
  /** Sessions logged in and not yet out. */
  readonly sessions: Set<string>
  /** May be changed while it runs. */
  behaviour: HostBehaviour
  renewCertificate(): Promise<void>
  close(): Promise<void>
}

export interface HostBehaviour {
  readonly poolUuid: string
  readonly hostUuids: readonly string[]
  readonly password: string
  /** Another host is the coordinator. */
  readonly memberOf?: string
  /** What other methods give, or these instead of what they give. */
  readonly values?: Readonly<Record<string, ApiValue>>
  readonly failure?: readonly [code: string, ...params: string[]]
  readonly answers?: 'normally' | 'never' | 'nonsense' | 'status 500' | 'resets'
}

const TLS_DISTANCE = 363

export async function startXenApiHost(
  behaviour: HostBehaviour,
  place: { readonly address?: string; readonly port?: number } = {},
): Promise<XenApiHost> {
  const { address = OWN_ADDRESS, port = 0 } = place
  const calls: string[] = []
  const sessions = new Set<string>()
  const listener: TlsListener = await startTlsListener({
    address,
    port,
    ...(await newIdentity()),
    requestListener: async (request, response) => {
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece)
      const { answers = 'normally' } = host.behaviour
      if (answers === 'never') return
      if (answers === 'resets') return void request.socket.destroy()
      if (answers === 'status 500') return void response.writeHead(500).end('<html/>')
      if (answers === 'nonsense') return void response.end('<html>not here</html>')
      const call = decodeJsonRpcCall(Buffer.concat(pieces).toString('utf8'))
      calls.push(call.method)
      const { version, id } = call
      response.end(encodeJsonRpcResponse({ version, id, result: perform(call.method, call.params) }))
    },
  })
  const perform = (method: string, params: readonly ApiValue[]): ApiResult => {
    const { poolUuid, hostUuids, password, memberOf, failure, values = {} } = host.behaviour
    const failed = (...description: string[]) => ({ status: 'failure', description }) as const
    const done = (value: ApiValue) => ({ status: 'success', value }) as const
    if (method === 'session.login_with_password') {
      if (memberOf !== undefined) return failed('HOST_IS_SLAVE', memberOf)
      if (params[1] !== password) return failed('SESSION_AUTHENTICATION_FAILED', String(params[0]), 'no')
      const session = `OpaqueRef:session-${calls.length}`
      sessions.add(session)
      return done(session)
    }
    if (!sessions.has(String(params[0]))) return failed('SESSION_INVALID', String(params[0]))
    if (method === 'session.logout') {
      sessions.delete(String(params[0]))
      return done('')
    }
    if (failure) return failed(...failure)
    const value = values[method]
    if (value !== undefined) return done(value)
    if (method === 'pool.get_all_records') return done({ 'OpaqueRef:pool': { uuid: poolUuid, name_label: 'lab' } })
    if (method === 'host.get_all_records')
      return done(Object.fromEntries(hostUuids.map((uuid) => [`OpaqueRef:${uuid}`, { uuid }])))
    return failed('MESSAGE_METHOD_UNKNOWN', method)
  }

  const host: XenApiHost = {
    address,
    url: `http://${address.includes(':') ? `[${address}]` : address}:${listener.port - TLS_DISTANCE}/`,
    tlsPort: listener.port,
    fingerprint: () => listener.served(),
    calls,
    sessions,
    behaviour,
    renewCertificate: async () => listener.replaceIdentity(await newIdentity()),
    close: () => listener.close(),
  }
  return host
}

/** What a port does that accepts connections and says nothing. */
export function ignore(socket: Socket): void {
  socket.on('error', () => {}).resume()
}

/** More than are in use at once; each costs a seventh of a second of processor time to make. */
const IDENTITIES = 4
const made = cacheForFile<number, Promise<Identity>>()

/** Another one than the last few. */
function newIdentity(): Promise<Identity> {
  const oldest = made.size === IDENTITIES ? made.keys().next().value : undefined
  const place = oldest ?? made.size
  const identity = made.get(place) ?? createSelfSigned({ hostname: 'xs1.lab.internal', addresses: [], now: new Date() })
  made.delete(place) // a Map lists its keys as they were added: this one becomes the newest
  made.set(place, identity)
  return identity
}
