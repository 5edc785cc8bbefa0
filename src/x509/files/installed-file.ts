/**
 * A file among a host's installed certificates: what a pool takes for one certificate, what OpenSSL takes from the file once it is
 * part of the bundle, and why a pool would not have installed it (docs/trust-stores.md).
 */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { readElement } from '../encoding/der.js'
import { decodeBase64, splitPem } from '../encoding/pem.js'
import { readCertificate } from '../validate/certificate-facts.js'
import { readContainers } from './container.js'
import { isKeyBlock } from './private-key.js'

export type SingleCertificate =
  | { readonly state: 'one'; readonly certificate: X509Certificate }
  | { readonly state: 'refused'; readonly why: string }

/**
 * Reads exactly one CERTIFICATE block, as a pool does when a certificate is installed. A pool is stricter than OpenSSL in some
 * places (a byte order mark, blanks after the dashes, base64), and other blocks must be whole and are otherwise ignored, a private
 * key included.
 */
export function decodeSingleCertificate(text: string): SingleCertificate {
  const bodies: Buffer[] = []
  let open: { label: string; body: string } | undefined
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (!open) {
      const label = /^-----BEGIN (.*)-----$/.exec(line)?.[1]
      if (label !== undefined) open = { label, body: '' }
      continue
    }
    if (line !== `-----END ${open.label}-----`) {
      open.body += line
      continue
    }
    const der = decodeBase64(open.body)
    if (!der) return refused(`the ${open.label} block holds something that is not base64`)
    if (open.label === 'CERTIFICATE') bodies.push(der)
    open = undefined
  }
  if (open) return refused(`the ${open.label} block does not end`)

  const [only] = bodies
  if (!only) return refused('no CERTIFICATE block')
  if (bodies.length > 1) return refused(`${bodies.length} CERTIFICATE blocks where exactly one is wanted`)
  if (readElement(only)?.bytes.length !== only.length) return refused('the block is not one DER element')
  const certificate = readCertificate(only)
  return certificate ? { state: 'one', certificate } : refused('the block is not an X.509 certificate')
}

function refused(why: string): SingleCertificate {
  return { state: 'refused', why }
}

export type InstalledFileKind =
  /** Exactly one certificate, as pools install it. */
  | 'certificate'
  /** One certificate, in a text that a pool may refuse: a byte order mark, line ends of Windows, blanks. */
  | 'odd text'
  | 'several'
  /** OpenSSL's TRUSTED CERTIFICATE. */
  | 'trusted form'
  /** DER, PKCS#7, a request, a key, nothing: no bundle gets a certificate from it. */
  | 'not PEM'
  /** A block that is cut off or damaged, which spoils the bundle it gets into. */
  | 'broken'

export interface InstalledFile {
  readonly kind: InstalledFileKind
  /** Those a bundle gets from it; of a file in DER, and in the trusted form, the one that was meant. */
  readonly certificates: readonly X509Certificate[]
  /** A few words: what it is, or what is odd about it. */
  readonly what: string
  /** If it is not the first file of the bundle, OpenSSL misses the block after a byte order mark. */
  readonly beginsWithMark: boolean
  readonly holdsKey: boolean
}

const PLAIN = ['CERTIFICATE', 'X509 CERTIFICATE']
const MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Never throws, whatever the bytes are. */
export function readInstalledFile(bytes: Buffer): InstalledFile {
  const { blocks, fault } = splitPem(bytes)
  const shape = {
    beginsWithMark: bytes.subarray(0, 3).equals(MARK),
    holdsKey: blocks.some(({ label }) => isKeyBlock({ label })),
  }
  const plain = blocks.filter(({ label }) => PLAIN.includes(label)).map(({ der }) => readCertificate(der))
  const trusted = blocks.filter(({ label }) => label === 'TRUSTED CERTIFICATE').map(({ der }) => readCertificate(der))
  const certificates = [...plain, ...trusted].flatMap((one) => one ?? [])
  if (fault !== undefined) return { kind: 'broken', certificates, what: fault, ...shape }
  if (certificates.length < plain.length + trusted.length)
    return { kind: 'broken', certificates, what: 'a block that is no certificate', ...shape }
  if (certificates.length > 1)
    return { kind: 'several', certificates, what: `${certificates.length} certificates`, ...shape }
  if (trusted.length === 1) return { kind: 'trusted form', certificates, what: 'a TRUSTED CERTIFICATE block', ...shape }
  if (plain.length === 0) return { kind: 'not PEM', ...describeOther(bytes), ...shape }
  const oddity = oddTextOf(bytes, shape.beginsWithMark)
  if (oddity !== undefined) return { kind: 'odd text', certificates, what: oddity, ...shape }
  return { kind: 'certificate', certificates, what: 'a certificate', ...shape }
}

function oddTextOf(bytes: Buffer, beginsWithMark: boolean): string | undefined {
  const text = bytes.toString('latin1')
  const oddities = [
    ...(beginsWithMark ? ['a byte order mark'] : []),
    ...(text.includes('\r\n') ? ['line ends of Windows'] : []),
    ...(/^-----(BEGIN|END) [^\n]*-----[ \t]+\r?$/m.test(text) ? ['blanks behind the dashes'] : []),
  ]
  if (oddities.length > 0) return oddities.join(', ')
  const asPool = decodeSingleCertificate(text)
  return asPool.state === 'refused' ? asPool.why : undefined
}

function describeOther(bytes: Buffer): Pick<InstalledFile, 'certificates' | 'what'> {
  try {
    const { certificates, keys, requests, crls } = readContainers([{ file: '', bytes }])
    const found = certificates.map(({ certificate }) => certificate)
    if (found.length > 0) return { certificates: found, what: formOf(bytes, found.length) }
    const what = keys.length > 0 ? 'a private key' : requests.length > 0 ? 'a certificate request' : ''
    return { certificates: [], what: what || (crls.length > 0 ? 'a revocation list' : 'no certificate') }
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    const { looksLike } = error.facts
    return { certificates: [], what: typeof looksLike === 'string' ? looksLike : `of no use (${error.code})` }
  }
}

function formOf(bytes: Buffer, count: number): string {
  const isDer = count === 1 && readCertificate(bytes) !== undefined && bytes[0] === 0x30
  return isDer
    ? 'a certificate in DER'
    : count === 1
      ? 'a certificate in another form'
      : `${count} certificates in another form`
}
