/**
 * Whether a certificate is valid for the name a client uses. Pools: OpenSSL's own rule (X509_check_host) as stunnel's `checkHost`
 * applies it, in which the common name counts only where no dNSName is present and iPAddress never counts (docs/protocol/pool.md).
 */
import type { X509Certificate } from 'node:crypto'
import { isAddress } from '../../base/names/ip-address.js'
import { type NameAttribute, printable, readString } from '../encoding/distinguished-name.js'
import { describeCertificate } from '../summary.js'
import { readFacts } from './certificate-facts.js'

/** Compares the host part of a pool's `wlb_url`, be it a name or an IP address, as a name. */
export function checkHost(certificate: X509Certificate, name: string): boolean {
  // an empty name or one with a NUL inside makes OpenSSL skip the check or Node throw
  if (name === '' || name.includes('\0')) return false
  return readExtension(certificate, () => askOpenssl(certificate, name)) !== undefined
}

/** Node throws where OpenSSL gives up: on a common name that is no string. stunnel takes that for a no. */
function askOpenssl(certificate: X509Certificate, name: string): string | undefined {
  try {
    return certificate.checkHost(name, { subject: 'default' })
  } catch {
    return undefined
  }
}

/** What it was compared with: the common name counts only without a dNSName, an iPAddress never. */
export function explainMismatch(certificate: X509Certificate, name: string): string {
  const { ipAddresses } = describeCertificate(certificate)
  const compared = namesCompared(certificate).join(', ') || 'no name at all'
  const isOdd = compared === 'no name at all' && commonNames(certificate).length > 0
  const why = isOdd ? ', because its common name is no text' : ''
  const passedOver = ipAddresses.length === 0 ? '' : ', and not with the IP addresses in it'
  return `${name}; it is compared with ${compared}${why}${passedOver}`
}

/** The names that a host compares its own with: each dNSName; without any, the common names in front of the first that is no text. */
export function namesCompared(certificate: X509Certificate): readonly string[] {
  const { dnsNames } = describeCertificate(certificate)
  if (dnsNames.length > 0) return dnsNames
  const texts = commonNames(certificate).map(({ tag, bytes }) => readString(tag, bytes))
  const end = texts.indexOf(undefined)
  return texts.slice(0, end < 0 ? undefined : end).flatMap((text) => (text === undefined ? [] : printable(text)))
}

const COMMON_NAME = '2.5.4.3'

function commonNames(certificate: X509Certificate): readonly NameAttribute[] {
  return readFacts(certificate).subject.attributes.filter(({ oid, bytes }) => oid === COMMON_NAME && bytes.length > 0)
}

/** The strict rule of browsers (RFC 9525, 6.3): addresses against iPAddress, names against dNSName, a wildcard is the whole first label. */
export function checkHostStrictly(certificate: X509Certificate, name: string): boolean {
  const { dnsNames, ipAddresses } = describeCertificate(certificate)
  if (isAddress(name)) return ipAddresses.some((address) => address.toLowerCase() === name.toLowerCase())
  const wanted = name.toLowerCase().replace(/\.$/, '')
  const [, ...parent] = wanted.split('.')
  return dnsNames.some((dnsName) => {
    const given = dnsName.toLowerCase()
    return given === wanted || (parent.length >= 2 && given === `*.${parent.join('.')}`)
  })
}

/**
 * Runs `read`, which reads an extension through Node. Where OpenSSL cannot decode one, Node 20 answers as if it were absent and
 * leaves the error in the thread's queue; the next private key to be loaded is then refused with it, whatever key it is.
 */
export function readExtension<Out>(certificate: X509Certificate, read: () => Out): Out {
  try {
    return read()
  } finally {
    certificate.checkIssued(certificate) // empties the queue each time; properties such as `ca` do so once, then Node remembers them
  }
}
