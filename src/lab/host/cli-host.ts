/** What the thin CLI's server needs of a host, made from the parts there are. */

import { dispatch } from '../api/dispatch.js'
import type { Methods, Origin } from '../api/method.js'
import type { ThinCliHost } from '../thin-cli/thin-cli-host.js'
import type { LabHost } from './host.js'
import type { PoolTransport } from './intra-pool.js'
import type { Rpc } from './rpc.js'

export const API_VERSION = '2.21'

/** Builds the view of one connection: where it came in decides who is root. */
export function cliHost(host: LabHost, methods: Methods, transport: PoolTransport, origin: Origin): ThinCliHost {
  const call: Rpc = (method, ...params) => dispatch(host, methods, origin, method, params)
  const bind = (ref: string, logoutMethod: string | undefined) => ({
    ref,
    rpc: ((method, ...params) => call(method, ref, ...params)) satisfies Rpc,
    // A session that ended with its coordinator needs no logout.
    logout: async () => {
      if (logoutMethod) await call(logoutMethod, ref).catch(() => {})
    },
  })
  return {
    origin,
    apiVersion: API_VERSION,
    hostUuid: host.settings.uuid,
    refusalDelayMs: 0,
    role: () =>
      host.role.kind === 'coordinator'
        ? { kind: 'coordinator' }
        : { kind: 'member', coordinatorAddress: host.role.coordinatorAddress },
    async login(userName, password) {
      const ref = await call('session.login_with_password', userName, password, API_VERSION, 'cli')
      return bind(String(ref), 'session.logout')
    },
    async localLogin(userName, password) {
      const ref = await call('session.slave_local_login_with_password', userName, password)
      return bind(String(ref), 'session.local_logout')
    },
    attach: async (ref) => bind(ref, undefined),
    async forward(body, sessionRef) {
      if (host.role.kind === 'coordinator') throw new Error('the coordinator forwards to nobody')
      const stream = await transport.connectUnverified(host.role.coordinatorAddress)
      const lines = body
        .toString('latin1')
        .split('\n')
        .map((line) => line.replace(/\r$/, ''))
      const sent = Buffer.from([`session_id=${sessionRef}`, ...lines].join('\r\n'), 'latin1')
      stream.write(`POST /cli HTTP/1.0\r\nuser-agent: xapi/${API_VERSION}\r\ncontent-length: ${sent.length}\r\n\r\n`)
      stream.write(sent)
      return stream
    },
  }
}
