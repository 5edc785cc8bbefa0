/** Why a plan is not begun: what a host would say in the end, in the pool's words, or what is missing. */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import type { Connection, HostVerdict } from '../connection/connection.js'

export function goalRefused(name: string, refused: readonly HostVerdict[]): WlbError {
  const [first] = refused
  const said = refused.map(({ host, error }) => [host, error.join(': ')] as const)
  return new WlbError(
    'GOAL_CANNOT_VERIFY',
    'With all of it done the hosts would still refuse the appliance, so nothing is installed.',
    { name, ...(first?.error[0] !== undefined && { poolError: first.error[0] }), ...Object.fromEntries(said) },
    `wlb cert check --name ${name}`,
  )
}

export function hostsDown(hosts: readonly string[]): WlbError {
  return new WlbError(
    'HOSTS_DOWN',
    'A host is down; what is installed now would not reach it.',
    { hosts: hosts.join(', ') },
    'wlb trust apply --allow-down',
  )
}

/** The pool asks about revocation as soon as it has one list, and of this issuer it has none. */
export function crlNeeded({ crls = [] }: Connection, leaf: X509Certificate, urls: readonly string[]): WlbError {
  return new WlbError(
    'CRL_NEEDED',
    'With a revocation list in the pool every host asks for the list of the issuer of this certificate.',
    {
      issuer: leaf.issuer.split('\n').reverse().join(', '),
      distributionPoint: urls.join(' ') || 'the certificate names none',
      installed: crls.join(' ') || 'none yet',
    },
    'wlb trust apply --crl FILE',
  )
}
