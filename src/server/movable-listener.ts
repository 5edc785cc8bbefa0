/**
 * The appliance's listener, which can give its public port to the lab's stand-in: it moves to a free port of the loopback
 * interface and keeps its certificate and its service. This file is everything the product has for the stand-in: the listener
 * that moves, and what the control socket's two requests for it do (docs/decisions/0011-the-lab-stands-in.md).
 */
import type { Log } from '../config/index.js'
import { type ServedIdentity, startTlsListener, type TlsListener } from '../tls/index.js'

type ListenerOptions = Parameters<typeof startTlsListener>[0]

export interface MovableListener
  extends Pick<TlsListener, 'replaceIdentity' | 'served' | 'vouch' | 'connections' | 'close'> {
  /** Where it listens now. */
  where(): { readonly address: string; readonly port: number }
  /** What it serves. */
  identity(): ServedIdentity
  /** Listens on a free port of the loopback interface, then no longer at its own place. Twice is once. */
  setAside(): Promise<void>
  /** Listens at its own place again, then no longer aside. @throws PORT_IN_USE when something else does; it stays aside then. */
  bringBack(): Promise<void>
}

const ASIDE_ADDRESS = '127.0.0.1'

/** @throws what `startTlsListener` throws. */
export async function startMovableListener(options: ListenerOptions, drainMs: number): Promise<MovableListener> {
  let current = await startTlsListener(options)
  let identity: ServedIdentity = options
  let isAside = false
  let turn: Promise<unknown> = Promise.resolve()
  // the place of its own even where a free port was asked for
  const own = { address: current.address, port: current.port }

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work)
    turn = done.catch(() => {}) // whoever asked hears of it; the next one only waits
    return done
  }
  const moveTo = async (place: { readonly address: string; readonly port: number }, aside: boolean) => {
    if (isAside === aside) return
    const before = current
    current = await startTlsListener({ ...options, ...identity, ...place })
    isAside = aside
    await before.close({ drainMs })
  }

  return {
    where: () => ({ address: current.address, port: current.port }),
    identity: () => identity,
    served: () => current.served(),
    vouch: (socket) => current.vouch(socket),
    connections: () => current.connections(),
    setAside: () => inTurn(() => moveTo({ address: ASIDE_ADDRESS, port: 0 }, true)),
    bringBack: () => inTurn(() => moveTo(own, false)),
    replaceIdentity: (next) =>
      inTurn(async () => {
        await current.replaceIdentity(next)
        identity = next
      }),
    close: (closing) => inTurn(() => current.close(closing)),
  }
}

/** `POST /listener/aside` and `POST /listener/back` of the control socket: both answer where the appliance listens now. */
export function moveRequests(listener: MovableListener, log: Log) {
  const answerAfter = (move: () => Promise<void>) => async () => {
    await move()
    log.info(listener.where(), 'asked to listen elsewhere')
    return { ...listener.where(), fingerprintSha256: listener.served() }
  }
  return { setAside: answerAfter(listener.setAside), bringBack: answerAfter(listener.bringBack) }
}
