/**
 * An approximation of what a strict client says, such as a browser: it goes back where one path fails, looks for names
 * among the alternative names alone, addresses included, and has rules that OpenSSL has not. Which authorities it
 * trusts, certificate transparency, and its own way to ask about revocation are left out.
 */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { DAY_MS } from '../encoding/signing.js'
import { describeCertificate } from '../summary.js'
import { type CertificateFacts, readFacts } from './certificate-facts.js'
import { findOtherPath } from './other-path.js'
import { validate } from './validate.js'
import type { Question, Verdict } from './verdict.js'

/** Beside the defects of `validate`; without OpenSSL's numbers, for OpenSSL knows none of them. */
export interface BrowserDefect {
  readonly code: keyof typeof BROWSER_RULES
  readonly certificate: X509Certificate
  readonly message: string
  readonly remedy: string
}

export interface BrowserVerdict {
  /** `defects` without the host-name rule and the revocation lists of pools. */
  readonly verdict: Verdict
  readonly browserDefects: readonly BrowserDefect[]
}

const REQUEST = 'wlb cert request'

const BROWSER_RULES = {
  BROWSER_NAME_MISMATCH: {
    message: 'does not speak for the name in its alternative names, and the common name is not looked at',
    remedy: REQUEST,
  },
  BROWSER_PURPOSE_MISSING: {
    message: 'does not say that it is for TLS servers (extended key usage)',
    remedy: REQUEST,
  },
  BROWSER_LEAF_IS_AUTHORITY: { message: 'is an authority, and may not be a server as well', remedy: REQUEST },
  BROWSER_LIFETIME: { message: 'is valid for more than 825 days', remedy: REQUEST },
} as const

const LIFETIME_DAYS = 825
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

/** @throws CERTIFICATE_MISSING, VALIDATION_TOO_COSTLY. */
export function judgeAsBrowser(question: Question): BrowserVerdict {
  const unrevoked = { ...question, crls: undefined }
  const verdict = withoutNames(validate(unrevoked))
  const other = verdict.accepted ? undefined : findOtherPath(unrevoked, verdict)
  const [leaf] = question.presented
  return {
    verdict: other ? withoutNames(other) : verdict,
    browserDefects: leaf ? checkLeaf(readFacts(leaf), question.name) : [],
  }
}

function withoutNames(verdict: Verdict): Verdict {
  const defects = verdict.defects.filter(({ code }) => code !== 'NAME_MISMATCH')
  const [first] = defects
  const { logText = '', opensslNumber = 0 } = first ?? {}
  return { ...verdict, defects, accepted: !first, reason: logText, opensslNumber }
}

function checkLeaf(facts: CertificateFacts, name: string): BrowserDefect[] {
  const { certificate, extendedKeyUsage = [], basicConstraints, notBefore, notAfter } = facts
  const days = notBefore && notAfter ? (+notAfter - +notBefore) / DAY_MS : 0
  const broken: [BrowserDefect['code'], boolean][] = [
    ['BROWSER_NAME_MISMATCH', !speaksFor(certificate, name)],
    ['BROWSER_PURPOSE_MISSING', !extendedKeyUsage.includes(SERVER_AUTH)],
    ['BROWSER_LEAF_IS_AUTHORITY', basicConstraints?.ca === true],
    ['BROWSER_LIFETIME', days > LIFETIME_DAYS],
  ]
  const subject = describeCertificate(certificate).subject || 'The certificate without a name'
  return broken.flatMap(([code, isBroken]) => {
    const { message, remedy } = BROWSER_RULES[code]
    return isBroken ? [{ code, certificate, message: `${subject} ${message}.`, remedy }] : []
  })
}

/** RFC 9525, 6.3: addresses against iPAddress, names against dNSName, a wildcard is the whole first label. */
function speaksFor(certificate: X509Certificate, name: string): boolean {
  const { dnsNames, ipAddresses } = describeCertificate(certificate)
  if (isIP(name) !== 0) return ipAddresses.some((address) => address.toLowerCase() === name.toLowerCase())
  const wanted = name.toLowerCase().replace(/\.$/, '')
  const [, ...parent] = wanted.split('.')
  return dnsNames.some((dnsName) => {
    const given = dnsName.toLowerCase()
    return given === wanted || (parent.length >= 2 && given === `*.${parent.join('.')}`)
  })
}
