/**
 * The two containers for certificates: PKCS#7 as authorities hand out chains (RFC 2315, 9.1), and PKCS#12, in which Windows and
 * Java hand out key and certificates together (RFC 7292).
 */
import { createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import {
  type DerElement,
  fieldsOf,
  readElement,
  readElements,
  readOid,
  readWholeNumber,
  rewriteAsDefinite,
  TAG,
} from '../encoding/der.js'
import { fail } from '../errors.js'
import {
  checkWork,
  decryptWithPassword,
  derivePkcs12Key,
  encodePkcs12Password,
  PKCS12_MAC,
  PKCS12_ROUND_COST,
  readAlgorithm,
  readPasswordScheme,
  readPbkdf2,
  SLOW_WORK,
  workOf,
  workOfPbkdf2,
} from './password-encryption.js'

export interface Pkcs7Contents {
  readonly certificates: readonly Buffer[]
  readonly crls: readonly Buffer[]
}

/** @throws PKCS7_MALFORMED when its structure does not hold. Signatures in it are not checked. */
export function readPkcs7(der: Buffer, file: string): Pkcs7Contents {
  const whole = rewriteAsDefinite(der)
  const [, wrapped] = fieldsOf(whole && readElement(whole))
  const [version, digests, inner, ...rest] = fieldsOf(wrapped && readElement(wrapped.content))
  if (version?.tag !== TAG.integer || !digests || inner?.tag !== TAG.sequence) throw fail('PKCS7_MALFORMED', { file })
  return {
    certificates: sequencesIn(rest.find(({ tag }) => tag === TAG.context0)),
    crls: sequencesIn(rest.find(({ tag }) => tag === TAG.context1)),
  }
}

/** Certificates of other kinds (attribute, extended) are tagged; what is a plain SEQUENCE is X.509. */
function sequencesIn(set: DerElement | undefined): Buffer[] {
  const elements = (set && readElements(set.content)) ?? []
  return elements.filter(({ tag }) => tag === TAG.sequence).map(({ bytes }) => bytes)
}

export interface Pkcs12Contents {
  readonly certificates: readonly Buffer[]
  readonly crls: readonly Buffer[]
  /** PKCS#8; the encrypted ones open with the password of the file. */
  readonly keys: readonly { readonly der: Buffer; readonly encrypted: boolean }[]
  /** The password that opened the file; null where the file has none, undefined where only a key needs one. */
  readonly password: string | null | undefined
}

const OID = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  pbmac1: '1.2.840.113549.1.5.14',
  bag: '1.2.840.113549.1.12.10.1.',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  x509Crl: '1.2.840.113549.1.9.23.1',
}

const MAC_DIGESTS: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
  '2.16.840.1.101.3.4.2.5': 'sha512-224',
  '2.16.840.1.101.3.4.2.6': 'sha512-256',
  '2.16.840.1.101.3.4.2.7': 'sha3-224',
  '2.16.840.1.101.3.4.2.8': 'sha3-256',
  '2.16.840.1.101.3.4.2.9': 'sha3-384',
  '2.16.840.1.101.3.4.2.10': 'sha3-512',
  '1.2.840.113549.2.5': 'md5',
  '1.3.6.1.4.1.1722.12.2.1.16': 'blake2b512',
  '1.3.6.1.4.1.1722.12.2.2.8': 'blake2s256',
}

/** Called before work that takes more than a moment, so that it can be said. */
export type OnSlow = (file: string) => void

/**
 * Opens a PKCS#12 file. The MAC proves the password before anything is opened.
 *
 * @throws PKCS12_MALFORMED, PKCS12_PASSWORD_NEEDED, PKCS12_PASSWORD_WRONG.
 * @throws PKCS12_UNSUPPORTED when it is encrypted or signed in a way we do not open; PASSWORD_TOO_COSTLY when it would take too long.
 */
export function readPkcs12(
  der: Buffer,
  password: string | undefined,
  file: string,
  onSlow: OnSlow = () => {},
): Pkcs12Contents {
  const whole = rewriteAsDefinite(der)
  const [version, authSafe, mac] = fieldsOf(whole && readElement(whole))
  const safe = readContentInfo(authSafe)
  if (version?.tag !== TAG.integer || !safe) throw fail('PKCS12_MALFORMED', { file, where: 'its outer structure' })
  if (safe.oid !== OID.data || safe.content?.tag !== TAG.octetString)
    throw fail('PKCS12_UNSUPPORTED', { file, what: 'a signature instead of a password' })

  const parts = readParts(safe.content.content, file)
  const check = mac && readMac(mac, file)
  const sealed = parts.filter((part) => part.kind === 'sealed')
  const work = sealed.reduce((sum, { scheme }) => sum + workOf(scheme, 'us'), check?.work ?? 0)
  checkWork(work, file)
  if (work > SLOW_WORK) onSlow(file)

  const opened = findPassword(password, file, (candidate) => {
    if (check && !check.proves(candidate, safe.content?.content ?? Buffer.alloc(0))) return undefined
    return openParts(parts, candidate)
  })
  const isProven = check !== undefined || sealed.length > 0
  return { ...readBags(opened.safes, file, work), password: isProven ? opened.password : undefined }
}

/** When no password is given, the empty one and none at all are tried. */
function findPassword(
  given: string | undefined,
  file: string,
  attempt: (password: string | null) => Buffer[] | undefined,
): { safes: Buffer[]; password: string | null } {
  const candidates = given === undefined || given === '' ? ['', null] : [given]
  for (const password of candidates) {
    const safes = attempt(password)
    if (safes) return { safes, password }
  }
  throw given === undefined ? fail('PKCS12_PASSWORD_NEEDED', { file }) : fail('PKCS12_PASSWORD_WRONG', { file })
}

type Part =
  | { readonly kind: 'plain'; readonly safe: Buffer }
  | {
      readonly kind: 'sealed'
      readonly scheme: NonNullable<ReturnType<typeof readPasswordScheme>>
      readonly sealed: Buffer
    }

/** AuthenticatedSafe ::= SEQUENCE OF ContentInfo, each plain or encrypted as a whole. */
function readParts(bytes: Buffer, file: string): Part[] {
  const whole = rewriteAsDefinite(bytes)
  const infos = whole && readElements(readElement(whole)?.content ?? Buffer.alloc(0))
  if (!infos) throw fail('PKCS12_MALFORMED', { file, where: 'its list of parts' })
  return infos.map((info): Part => {
    const { oid, content } = readContentInfo(info) ?? {}
    if (oid === OID.data && content?.tag === TAG.octetString) return { kind: 'plain', safe: content.content }
    if (oid !== OID.encryptedData || !content)
      throw fail('PKCS12_UNSUPPORTED', { file, what: 'encryption for the owner of a certificate' })
    const [, encrypted] = fieldsOf(content)
    const [, algorithm, sealed] = fieldsOf(encrypted)
    const scheme = readPasswordScheme(algorithm)
    if (!scheme || !sealed) throw fail('PKCS12_MALFORMED', { file, where: 'the encryption of a part' })
    if (scheme.kind === 'unsupported') throw fail('PKCS12_UNSUPPORTED', { file, what: scheme.name })
    return { kind: 'sealed', scheme, sealed: joinPieces(sealed) }
  })
}

/** Under an implicit tag, only the constructed bit says that a string is in pieces. */
function joinPieces({ tag, content }: DerElement): Buffer {
  if ((tag & 0x20) === 0) return content
  return Buffer.concat((readElements(content) ?? []).map((piece) => piece.content))
}

function openParts(parts: readonly Part[], password: string | null): Buffer[] | undefined {
  const safes = parts.map((part) =>
    part.kind === 'plain' ? part.safe : decryptWithPassword(part.scheme, part.sealed, password),
  )
  const open = safes.filter((safe) => safe !== undefined)
  // without a MAC, garbage is how a wrong password shows
  return open.length === safes.length && open.every((safe) => safe[0] === TAG.sequence) ? open : undefined
}

interface MacCheck {
  readonly work: number
  proves(password: string | null, content: Buffer): boolean
}

/** MacData ::= SEQUENCE { mac DigestInfo, macSalt, iterations DEFAULT 1 }; RFC 9579 puts PBKDF2 into the DigestInfo. */
function readMac(mac: DerElement, file: string): MacCheck {
  const [info, salt, count] = fieldsOf(mac)
  const [algorithm, expected] = fieldsOf(info)
  const { oid = '', parameters } = readAlgorithm(algorithm)
  if (expected?.tag !== TAG.octetString || salt?.tag !== TAG.octetString)
    throw fail('PKCS12_MALFORMED', { file, where: 'its MAC' })
  const compare = (key: Buffer, digest: string, content: Buffer) => {
    const found = createHmac(digest, key).update(content).digest()
    return found.length === expected.content.length && timingSafeEqual(found, expected.content)
  }
  if (oid === OID.pbmac1) {
    const [derivation, scheme] = fieldsOf(parameters)
    const derived = readPbkdf2(derivation)
    const digest = derived?.digest
    if (!derived?.keyBytes || derived.keyBytes > 64 || !digest || !scheme)
      throw fail('PKCS12_MALFORMED', { file, where: 'its MAC' })
    const { salt: own, rounds, keyBytes } = derived
    return {
      work: workOfPbkdf2(rounds, digest, keyBytes),
      proves: (password, content) =>
        compare(pbkdf2Sync(password ?? '', own, rounds, keyBytes, digest), digest, content),
    }
  }
  const digest = MAC_DIGESTS[oid]
  if (!digest) throw fail('PKCS12_MALFORMED', { file, where: `its MAC, which names ${oid || 'nothing'} as its digest` })
  const rounds = count ? readWholeNumber(count) : 1
  if (!rounds || salt.content.length > 1024) throw fail('PKCS12_MALFORMED', { file, where: 'its MAC' })
  const length = expected.content.length
  return {
    work: rounds * PKCS12_ROUND_COST,
    proves: (candidate, content) => {
      const password = encodePkcs12Password(candidate)
      const question = { digest, password, salt: salt.content, purpose: PKCS12_MAC, rounds, length }
      return compare(derivePkcs12Key(question), digest, content)
    },
  }
}

/** SafeBag ::= SEQUENCE { bagId, bagValue [0], bagAttributes OPTIONAL }. Secrets and bags in bags are left out. */
function readBags(safes: readonly Buffer[], file: string, workDone: number): Omit<Pkcs12Contents, 'password'> {
  const certificates: Buffer[] = []
  const crls: Buffer[] = []
  const keys: { der: Buffer; encrypted: boolean }[] = []
  let work = workDone
  for (const bytes of safes) {
    const safe = rewriteAsDefinite(bytes)
    const bags = safe && readElements(readElement(safe)?.content ?? Buffer.alloc(0))
    if (!bags) throw fail('PKCS12_MALFORMED', { file, where: 'its list of contents' })
    for (const bag of bags) {
      const [id, wrapped] = fieldsOf(bag)
      const value = wrapped && readElement(wrapped.content)
      if (id?.tag !== TAG.oid || !value) throw fail('PKCS12_MALFORMED', { file, where: 'one of its contents' })
      const [type, inner] = fieldsOf(value)
      const content = inner && readElement(inner.content)?.content
      switch (readOid(id.content.subarray(0, 16)).replace(OID.bag, '')) {
        case '1':
          keys.push({ der: value.bytes, encrypted: false })
          break
        case '2':
          work += workOfKey(type)
          keys.push({ der: value.bytes, encrypted: true })
          break
        case '3':
          if (content && type && readOid(type.content) === OID.x509Certificate) certificates.push(content)
          break
        case '4':
          if (content && type && readOid(type.content) === OID.x509Crl) crls.push(content)
          break
      }
    }
  }
  checkWork(work, file)
  return { certificates, crls, keys }
}

function workOfKey(algorithm: DerElement | undefined): number {
  const scheme = readPasswordScheme(algorithm)
  return scheme ? workOf(scheme, 'openssl') : 0
}

/** ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT }. */
function readContentInfo(element: DerElement | undefined) {
  const [type, wrapped] = fieldsOf(element)
  if (type?.tag !== TAG.oid || wrapped?.tag !== TAG.context0) return undefined
  return { oid: readOid(type.content.subarray(0, 16)), content: readElement(wrapped.content) }
}
