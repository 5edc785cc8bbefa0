/** A path of leaf, issuer and root whose parts can be replaced by any bytes, signed so that nothing but those matters. */
import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { encodePem } from '../../../src/x509/index.js'
import { bitString, boolean, integer, objectIdentifier, sequence, time, wrapped } from '../der-writer.js'
import { OID, writeExtension } from '../extension-writer.js'
import type { JudgedSet } from '../judge.js'
import { commonName, writeName } from '../name-writer.js'
import type { RawExtension } from '../plan.js'

export const NAME = 'wlb.example.lab'
const DAY_MS = 86_400_000

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The fields of a certificate in their encoded form; what is left out is as it should be. */
export interface Parts {
  /** With its tag; none where it is of no length. */
  readonly version?: Buffer
  readonly serial?: Buffer
  readonly algorithm?: Buffer
  readonly outerAlgorithm?: Buffer
  readonly issuer?: Buffer
  readonly validity?: Buffer
  readonly subject?: Buffer
  readonly publicKey?: Buffer
  /** Between key and extensions. */
  readonly uniqueIds?: Buffer
  /** Added to those that it needs; an authority's basicConstraints only where none is given. */
  readonly extensions?: readonly (RawExtension | Buffer)[]
  /** Nothing is added. */
  readonly isBare?: boolean
}

export interface ListParts {
  /** Signs it in the place of the issuer's key. */
  readonly signature?: { readonly algorithm: Buffer; readonly sign: (part: Buffer) => Buffer }
  readonly issuer?: Buffer
  readonly serials?: readonly Buffer[]
  readonly entryExtensions?: readonly RawExtension[]
  readonly extensions?: readonly RawExtension[]
}

export interface RarePath {
  readonly leaf?: Parts
  readonly issuer?: Parts
  readonly root?: Parts
  readonly list?: ListParts
}

export interface RareKeys {
  readonly leaf: Pair
  readonly issuer: Pair
  readonly root: Pair
}

/** EC by default: it signs fast. Pools take RSA alone. */
export function createRareKeys(kind: 'ec' | 'rsa' = 'ec'): RareKeys {
  const pair = () =>
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { leaf: pair(), issuer: pair(), root: pair() }
}

const EC_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
const RSA_SHA256 = sequence(objectIdentifier('1.2.840.113549.1.1.11'), Buffer.from([5, 0]))
const plainAlgorithm = ({ privateKey }: Pair) => (privateKey.asymmetricKeyType === 'rsa' ? RSA_SHA256 : EC_SHA256)
const AUTHORITY: RawExtension = { oid: OID.basicConstraints, critical: true, value: sequence(boolean(true)) }
const SERVER: RawExtension = {
  oid: OID.altNames,
  value: sequence(Buffer.concat([Buffer.from([0x82, NAME.length]), Buffer.from(NAME)])),
}
const NAMES = {
  leaf: writeName(commonName(NAME)),
  issuer: writeName(commonName('Issuer')),
  root: writeName(commonName('Root')),
}

export function makePath(path: RarePath, keys: RareKeys, now: Date): JudgedSet {
  const certificate = (place: 'leaf' | 'issuer' | 'root', above: 'issuer' | 'root', serial: number) => {
    const { extensions = [], isBare = false, ...parts } = path[place] ?? {}
    const needed = place === 'leaf' ? SERVER : AUTHORITY
    const isGiven = isBare || extensions.some((one) => !Buffer.isBuffer(one) && one.oid === needed.oid)
    const algorithm = parts.algorithm ?? plainAlgorithm(keys[above])
    const signed = sequence(
      parts.version ?? wrapped(0, integer(2)),
      parts.serial ?? integer(serial),
      algorithm,
      parts.issuer ?? path[above]?.subject ?? NAMES[above],
      parts.validity ?? sequence(time(new Date(+now - DAY_MS), 'utc'), time(new Date(+now + 30 * DAY_MS), 'utc')),
      parts.subject ?? NAMES[place],
      parts.publicKey ?? keys[place].publicKey.export({ type: 'spki', format: 'der' }),
      parts.uniqueIds ?? Buffer.alloc(0),
      wrapped(3, sequence(...[...extensions, ...(isGiven ? [] : [needed])].map(writeEither))),
    )
    return signPart(signed, parts.outerAlgorithm ?? algorithm, keys[above])
  }
  const [leaf, issuer, root] = [
    certificate('leaf', 'issuer', 3),
    certificate('issuer', 'root', 2),
    certificate('root', 'root', 1),
  ]
  return {
    sent: [leaf, issuer].map((der) => new X509Certificate(der)),
    leafKeyPem: keys.leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    bundle: Buffer.from(encodePem('CERTIFICATE', root)),
    crlFiles: path.list ? { 'list.pem': encodePem('X509 CRL', makeList(path.list, keys, now)) } : {},
    name: NAME,
    clock: undefined,
  }
}

function makeList(
  { signature, issuer, serials = [], entryExtensions = [], extensions = [] }: ListParts,
  keys: RareKeys,
  now: Date,
): Buffer {
  const date = time(new Date(+now - DAY_MS), 'utc')
  const inEntry = entryExtensions.length > 0 ? [sequence(...entryExtensions.map(writeExtension))] : []
  const entries = serials.map((serial) => sequence(serial, date, ...inEntry))
  const algorithm = signature?.algorithm ?? plainAlgorithm(keys.issuer)
  const signed = sequence(
    integer(1),
    algorithm,
    issuer ?? NAMES.issuer,
    date,
    time(new Date(+now + 30 * DAY_MS), 'utc'),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    ...(extensions.length > 0 ? [wrapped(0, sequence(...extensions.map(writeExtension)))] : []),
  )
  return signature
    ? sequence(signed, algorithm, bitString(signature.sign(signed)))
    : signPart(signed, algorithm, keys.issuer)
}

const writeEither = (extension: RawExtension | Buffer) =>
  Buffer.isBuffer(extension) ? extension : writeExtension(extension)

function signPart(part: Buffer, algorithm: Buffer, { privateKey }: Pair): Buffer {
  return sequence(part, algorithm, bitString(sign('sha256', part, privateKey)))
}

/** An extension whose value is written in hex; blanks do not count. */
export function extensionOf(oid: string, hex: string, critical = false): RawExtension {
  return { oid, critical, value: Buffer.from(hex.replaceAll(' ', ''), 'hex') }
}

/** The value of an extension as it is, whatever it is wrapped in. */
export const oddExtension = (oid: string, value: Buffer): Buffer => sequence(objectIdentifier(oid), value)

export function oneString(tag: number, text: string | Buffer): Buffer {
  const bytes = Buffer.from(text)
  return sequence(objectIdentifier('2.5.4.3'), Buffer.concat([Buffer.from([tag, bytes.length]), bytes]))
}
