/**
 * A pool registers, and leaves (docs/protocol/wlb.md, results). Nothing is stored before the pool has let us in and has
 * proven to be the one it says it is; a repeated registration renews address and credentials and keeps everything else.
 */

import { seal } from '../../config/index.js'
import type { CertificatePin, PoolStore } from '../../store/index.js'
import type { WlbCall } from '../../wlb/index.js'
import { readPoolUrl } from './pool-address.js'
import { type LoginResult, logIn } from './pool-login.js'

type Registration = Extract<WlbCall, { method: 'AddXenServer' }>['request']

export type RegistrationResult =
  | { readonly state: 'registered'; readonly id: number }
  | { readonly state: 'refused'; readonly code: 6 | 4002 | 4003 | 4007; readonly message: string }

export interface RegistrationDesk {
  readonly pools: PoolStore
  readonly secretKey: Buffer
  readonly now: () => Date
}

/** Answers within 25 seconds: the pool waits for thirty. */
export async function registerPool(request: Registration, desk: RegistrationDesk): Promise<RegistrationResult> {
  const { poolUuid, userName, password, xenServerUrl } = request
  const place = readPoolUrl(xenServerUrl)
  if (!place) return refused(4007, `XenServerUrl must be of the form http://ADDRESS:PORT/, and is ${xenServerUrl}`)

  const known = await desk.pools.find(poolUuid)
  const { address, plainPort, tlsPort } = place
  const login = await logIn({ address, tlsPort, userName, password, pins: known?.pins ?? [] })
  if (login.state !== 'in') return explain(login)
  if (login.poolUuid !== poolUuid)
    return refused(4007, `PoolUuid is ${poolUuid}, but the pool at ${address} is ${login.poolUuid}`)

  const { coordinatorAddress, hostUuids, seen } = login
  const sealedPassword = seal(password, poolUuid, desk.secretKey)
  const saved = await desk.pools.save(
    { uuid: poolUuid, address, plainPort, coordinatorAddress, userName, sealedPassword, hostUuids, pins: seen },
    desk.now(),
  )
  // Somebody registered the same pool at the same moment, and was shown something else.
  if (saved.state === 'pinned-otherwise') return otherCertificate(saved.pin, 'another')
  return { state: 'registered', id: saved.pool.id }
}

function explain(login: Exclude<LoginResult, { state: 'in' }>): RegistrationResult {
  switch (login.state) {
    case 'credentials-refused':
      return refused(4002, 'The pool refused the user name or the password that WLB was given for it')
    case 'not-permitted':
      return refused(6, `The pool let the user in, but does not let it read what WLB needs: ${login.why}`)
    case 'other-certificate':
      return otherCertificate(login.pinned, login.seen)
    case 'unreachable':
      return refused(4003, `The pool could not be reached: ${login.why}`)
  }
}

function otherCertificate({ address, fingerprintSha256 }: CertificatePin, seen: string): RegistrationResult {
  const message =
    `The host at ${address} shows another certificate (${seen}) than when the pool registered (${fingerprintSha256}). ` +
    'If it was given a new one, run xe pool-deconfigure-wlb, or wlb pool forget on the appliance, and register the pool again'
  return refused(4003, message)
}

function refused(code: 6 | 4002 | 4003 | 4007, message: string): RegistrationResult {
  return { state: 'refused', code, message }
}
