/** What is asked of a certificate on behalf of a host of the pool, and the answer (docs/protocol/verdict.md). */
import type { X509Certificate } from 'node:crypto'
import type { DefectCode } from './defects.js'

/** A certificate a host trusts by decision. */
export interface TrustAnchor {
  readonly certificate: X509Certificate
  /** Object identifiers of the purposes a TRUSTED CERTIFICATE block names; an anchor without them is good for all. */
  readonly trustedFor?: readonly string[]
  readonly rejectedFor?: readonly string[]
}

export interface Question {
  /** What the server sends: the leaf first; the order of the rest does not matter. */
  readonly presented: readonly X509Certificate[]
  readonly anchors: readonly TrustAnchor[]
  /** Contents of the CRL files, of which PEM alone counts; undefined where a host has none, and revocation is not asked about. */
  readonly crls: readonly (string | Buffer)[] | undefined
  /** The name the host connects to: the host part of `wlb_url`, an IP address included. */
  readonly name: string
  readonly now: Date
}

/** One thing that is wrong, where it is, and what OpenSSL calls it. */
export interface Defect {
  readonly code: DefectCode
  /** OpenSSL's X509_V_ERR number. */
  readonly opensslNumber: number
  /** What stunnel logs after `CERT: ` should this be the first defect it meets. */
  readonly logText: string
  /** 0 is the leaf. */
  readonly depth: number
  readonly certificate: X509Certificate
  /** What was found, in a sentence. */
  readonly message: string
  /** A command that can be typed. */
  readonly remedy: string
}

export interface Verdict {
  readonly accepted: boolean
  /** The one path OpenSSL takes, from the leaf up. */
  readonly path: readonly X509Certificate[]
  /** How many of `path`, counted from the leaf, came from the server and not from the trust store. */
  readonly fromServer: number
  /** All of them, in the order OpenSSL meets them. */
  readonly defects: readonly Defect[]
  /** The first one's `logText`; empty when accepted. */
  readonly reason: string
  /** The first one's number; 0 when accepted. */
  readonly opensslNumber: number
}
