/** Who is asked about a certificate set, and what an answer is. */
import type { X509Certificate } from 'node:crypto'

export interface Answer {
  readonly accepted: boolean
  /** What stunnel logs after `CERT: `, `Configuration failed`, or '' when accepted. */
  readonly reason: string
}

/** What a judge needs to know of a set, wherever it comes from. */
export interface JudgedSet {
  /** Leaf first. */
  readonly sent: readonly X509Certificate[]
  readonly leafKeyPem: string
  readonly bundle: Buffer | undefined
  /** File name to content; empty: no revocation. */
  readonly crlFiles: Readonly<Record<string, string | Buffer>>
  readonly name: string
  /** undefined: the real clock. */
  readonly clock: Date | undefined
}

export const ACCEPTED: Answer = { accepted: true, reason: '' }
export const refused = (reason: string): Answer => ({ accepted: false, reason })
export const PREFIX = 'Pre-verification error: '
export const WRONG_NAME = 'Subject checks failed'

export const describeAnswer = ({ accepted, reason }: Answer): string =>
  accepted ? 'accepted' : reason.replaceAll(PREFIX, '!')
