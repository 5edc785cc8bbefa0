/** What the thin CLI's server needs from the host it runs on. */
import type { Duplex } from 'node:stream'
import type { Rpc } from '../host/rpc.js'

export interface CliSession {
  readonly ref: string
  readonly rpc: Rpc
  logout(): Promise<void>
}

export interface ThinCliHost {
  /** `local` is the host's own socket, where whoever asks is root. */
  readonly origin: 'network' | 'local'
  readonly apiVersion: string
  readonly hostUuid: string
  /** How late a refused login is answered, on top of what `login` itself waits; 5 s on a pool. */
  readonly refusalDelayMs?: number
  role(): { readonly kind: 'coordinator' } | { readonly kind: 'member'; readonly coordinatorAddress: string }
  /** Throws ApiFailure SESSION_AUTHENTICATION_FAILED, and HOST_IS_SLAVE on a member asked over the network. */
  login(userName: string, password: string): Promise<CliSession>
  /** A session on this host only, for emergencies. */
  localLogin(userName: string, password: string): Promise<CliSession>
  /** A session that exists already. */
  attach(sessionRef: string): Promise<CliSession>
  /**
   * Opens `/cli` on the coordinator and sends the request with these arguments, the session's line before them; the
   * coordinator's banner is the first thing to be read.
   */
  forward(body: Buffer, sessionRef: string): Promise<Duplex>
}
