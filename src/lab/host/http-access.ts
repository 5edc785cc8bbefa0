/** Who may use a host's HTTP handlers: with a session in the query, a name and a password, or as a host of the pool. */
import { setTimeout as pause } from 'node:timers/promises'
import type { LabHost } from './host.js'
import { isSameSecret } from './host-files.js'
import { type Exchange, showsPoolSecret } from './rpc-endpoint.js'

/** A session of the pool is good on every host; other hosts, and root on this one, need none. */
export async function isLoggedIn(exchange: Exchange, session: string | null): Promise<boolean> {
  const { host, request } = exchange
  if (session === null) {
    if (exchange.origin === 'local' || showsPoolSecret(exchange)) return true
    return showsPassword(host, request.headers.authorization ?? '')
  }
  if (host.role.kind === 'coordinator') return host.role.sessions.find(session) !== undefined
  return (await host.callPool(host.role.coordinatorAddress, 'lab.check_session', [session])) !== ''
}

async function showsPassword({ settings }: LabHost, authorization: string): Promise<boolean> {
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1]
  if (encoded === undefined) return false
  const [username = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  const users = [settings, ...(settings.reader ? [settings.reader] : [])]
  const isKnown = users.some((user) => {
    return isSameSecret(user.username, username) && isSameSecret(user.password, rest.join(':'))
  })
  if (!isKnown) await pause(settings.refusalDelayMs)
  return isKnown
}
