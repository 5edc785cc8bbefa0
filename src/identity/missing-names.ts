/**
 * Host names that the certificate does not carry any more. The self-signed one got its name when it was made, and pools
 * compare it with the name they connect to: a machine that is renamed is refused, and nothing else says why.
 */
import type { X509Certificate } from 'node:crypto'
import { checkHost, readExtension } from '../x509/index.js'

export interface MissingName {
  /** The configured host name, or what the machine calls itself. */
  readonly of: 'settings' | 'machine'
  readonly name: string
}

/** A machine's short name is carried by every full name that begins with it. */
export function findMissingNames(leaf: X509Certificate, configured: string, machine: string): readonly MissingName[] {
  const own = machine.toLowerCase()
  const isKnown = /^localhost\b/.test(own) || checkHost(leaf, own) || (!own.includes('.') && carriesShort(leaf, own))
  return [
    ...(checkHost(leaf, configured) ? [] : [{ of: 'settings' as const, name: configured }]),
    ...(isKnown || own === configured.toLowerCase() ? [] : [{ of: 'machine' as const, name: machine }]),
  ]
}

function carriesShort(leaf: X509Certificate, short: string): boolean {
  const alternative = readExtension(leaf, () => leaf.subjectAltName) ?? ''
  const names = `${leaf.subject}, ${alternative}`.toLowerCase()
  return [...names.matchAll(/(?:^|[\n ,])(?:cn=|dns:)([^.,\s]+)/g)].some(([, label]) => label === short)
}
