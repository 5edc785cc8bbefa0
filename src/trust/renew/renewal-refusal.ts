/** Why a renewal is not begun: nothing was changed, and the connection is as it was. */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { describeCertificate } from '../../x509/index.js'
import type { HostVerdict } from '../connection/connection.js'

export function nameGap(leaf: X509Certificate, missing: readonly string[]): WlbError {
  return new WlbError(
    'RENEW_NAME_GAP',
    'The new certificate does not speak for every name the pool connects to, before and after: there would be a gap.',
    { missing: missing.join(', '), names: describeCertificate(leaf).names.join(', ') },
    'wlb cert request',
  )
}

export function nextRefused(name: string, refused: readonly HostVerdict[]): WlbError {
  return new WlbError(
    'NEXT_CERTIFICATE_REFUSED',
    'The hosts would refuse the new certificate, so nothing is changed.',
    { name, ...Object.fromEntries(refused.map(({ host, error }) => [host, error.join(': ')])) },
    `wlb cert check --name ${name}`,
  )
}

export function needsAppliance(appliance: string): WlbError {
  return new WlbError(
    'RENEW_NEEDS_APPLIANCE',
    'The appliance is not on this machine, or not in that folder: its certificate can be exchanged only where it is.',
    { appliance },
    'wlb status',
  )
}

export function notConnected(pool: string): WlbError {
  return new WlbError(
    'RENEW_NOT_VERIFYING',
    'A renewal keeps up a connection that is verified; this pool has none.',
    { pool },
    'wlb trust apply --goal self-signed',
  )
}

export function otherPools(pools: readonly string[]): WlbError {
  return new WlbError(
    'RENEW_OTHER_POOLS',
    'Other pools connect to this appliance too, and would refuse the new certificate until they trust it.',
    { pools: pools.join(', ') },
    'wlb trust renew --other-pools-ready',
  )
}

export function applyCutShort(by: string): WlbError {
  return new WlbError(
    'ANOTHER_RUN_OPEN',
    'An earlier run on this pool was cut short; it is finished or taken back first.',
    { run: `wlb trust ${by}` },
    'wlb trust apply --resume',
  )
}

export function renewalCutShort(by: string): WlbError {
  return new WlbError(
    'ANOTHER_RUN_OPEN',
    'A renewal on this pool was cut short; it is finished or taken back first.',
    { run: `wlb trust ${by}` },
    'wlb trust renew',
  )
}

export function otherPlace(place: string): WlbError {
  return new WlbError(
    'ANOTHER_RUN_OPEN',
    'A renewal for an appliance in another place was cut short; it is finished or taken back first.',
    { run: 'wlb trust renew', place },
    'wlb trust undo',
  )
}

export function sameIdentity(fingerprintSha256: string): WlbError {
  return new WlbError(
    'RENEW_NOTHING_NEW',
    'That is the certificate in place already.',
    { fingerprintSha256 },
    'wlb cert show',
  )
}
