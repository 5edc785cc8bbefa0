/**
 * What a pool of before December 2024 makes of a server (stunnel's `verifyPeer`, measured with 5.68): the bundle must hold
 * a certificate of the leaf's name and key. OpenSSL looks for a path all the same; a fault of the leaf's own counts, one
 * above it, or the lack of an issuer, does not.
 */
import type { X509Certificate } from 'node:crypto'
import { type Question, validate } from '../x509/index.js'

/** X509_V_ERR numbers stunnel lets pass: no issuer in the store, not trusted, no signature to check. */
const IGNORED = [20, 21, 27]
const NOT_IN_BUNDLE = 'Certificate not found in local repository'
const NAME_MISMATCH = 62

/** The text stunnel logs after `CERT: `; empty when the server is accepted. */
export function refusePinned(question: Question): string {
  const { defects } = validate(question)
  const own = defects.filter(({ depth }) => depth === 0)
  const first = own.find(({ opensslNumber }) => !IGNORED.includes(opensslNumber) && opensslNumber !== NAME_MISMATCH)
  const passed = own.findIndex(({ opensslNumber }) => IGNORED.includes(opensslNumber))
  // An error that is let pass brings on the checks of name and bundle at once, before the next error is met.
  if (first && (passed < 0 || own.indexOf(first) < passed)) return first.logText
  const misnamed = own.find(({ opensslNumber }) => opensslNumber === NAME_MISMATCH)
  if (misnamed) return misnamed.logText
  const [leaf] = question.presented
  const isInBundle = question.anchors.some(({ certificate }) => leaf !== undefined && isSamePeer(certificate, leaf))
  return isInBundle ? (first?.logText ?? '') : NOT_IN_BUNDLE
}

function isSamePeer(known: X509Certificate, leaf: X509Certificate): boolean {
  try {
    return known.subject === leaf.subject && known.publicKey.equals(leaf.publicKey)
  } catch {
    return false // a kind of key OpenSSL cannot read
  }
}
