/** What is asked of a connection made as a pool makes it, and what comes of it (docs/protocol/pool.md). */
import type { Duplex } from 'node:stream'
import type { TlsFailure } from './failure.js'

export interface PoolDial {
  readonly client: 'node' | 'stunnel'
  /** The host part of `wlb_url`: what the certificate must speak for, and the server name sent. */
  readonly serverName: string
  /** The address it was resolved to. */
  readonly address: string
  readonly port: number
  /** Without it nothing at all is verified, as on a pool with `wlb-verify-cert=false`. */
  readonly verify:
    | undefined
    | {
        readonly bundlePath: string
        readonly crlDirectory: string
        /** Another time than the system's; stunnel needs libfaketime to be told. */
        readonly now?: () => Date
        /** As pools did before December 2024 (`verifyPeer`): the bundle must hold the leaf's own name and key. */
        readonly pinsLeaf?: boolean
      }
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export type PoolConnection =
  | { readonly state: 'connected'; readonly stream: Duplex }
  /** `log` is stunnel's, or what ours would have told it. */
  | { readonly state: 'failed'; readonly failure: TlsFailure; readonly log: string }
