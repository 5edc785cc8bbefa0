/**
 * What a server answers to a ClientHello, read from the bytes on the wire (RFC 5246, 6.2 and 7.4): up to
 * ServerHelloDone a TLS 1.2 handshake is in the clear.
 */

export type Flight =
  | { readonly state: 'incomplete' }
  /** The first bytes belong to another protocol. */
  | { readonly state: 'not-tls' }
  /** OpenSSL's name of the alert, or its number. */
  | { readonly state: 'alert'; readonly description: string }
  /** A length or a number that no server sends. */
  | { readonly state: 'malformed' }
  | ({ readonly state: 'answered' } & ServerHello)

export interface ServerHello {
  /** 0x0303 is TLS 1.2. */
  readonly version: number
  readonly suite: number
  /** The group of the key exchange; undefined where it has none, and where TLS 1.3 hides it. */
  readonly group: number | undefined
  /** DER, in the order sent; none where TLS 1.3 hides them. */
  readonly certificates: readonly Buffer[]
  readonly asksForCertificate: boolean
}

const RECORD = { alert: 21, handshake: 22 }
const MESSAGE = { serverHello: 2, certificate: 11, keyExchange: 12, certificateRequest: 13, done: 14 }
const SUPPORTED_VERSIONS = 43
const NAMED_CURVE = 3
/** A name that is not known, for one, is told with a warning, and the handshake goes on. */
const WARNING = 1
const CLOSE_NOTIFY = 0
export const TLS12 = 0x0303
const TLS13 = 0x0304
/** 2^14, and what encryption may add. */
const LONGEST_RECORD = 0x4000 + 2048

const ALERTS: Readonly<Record<number, string>> = {
  0: 'close notify',
  10: 'unexpected message',
  22: 'record overflow',
  40: 'handshake failure',
  47: 'illegal parameter',
  50: 'decode error',
  70: 'protocol version',
  71: 'insufficient security',
  80: 'internal error',
  86: 'inappropriate fallback',
  109: 'missing extension',
  112: 'unrecognized name',
  116: 'certificate required',
  120: 'no application protocol',
}

/** Reads all bytes received so far; how they were cut into pieces does not matter. */
export function readServerFlight(bytes: Buffer): Flight {
  const { handshake, end } = readRecords(bytes)
  const answer = readMessages(handshake)
  return answer.state === 'incomplete' ? end : answer
}

/** Joins what the handshake records carry, up to where something else comes. */
function readRecords(bytes: Buffer): { handshake: Buffer; end: Flight } {
  const contents: Buffer[] = []
  const stop = (end: Flight) => ({ handshake: Buffer.concat(contents), end })
  for (let offset = 0; offset < bytes.length; ) {
    const type = bytes[offset]
    const major = bytes[offset + 1]
    if ((type !== RECORD.alert && type !== RECORD.handshake) || (major !== undefined && major !== 3)) {
      return stop({ state: offset === 0 ? 'not-tls' : 'malformed' })
    }
    if (bytes.length < offset + 5) break
    const length = bytes.readUInt16BE(offset + 3)
    if (length > LONGEST_RECORD || length === 0) return stop({ state: 'malformed' })
    const content = bytes.subarray(offset + 5, offset + 5 + length)
    if (content.length < length) break
    offset += 5 + length
    if (type === RECORD.handshake) {
      contents.push(content)
      continue
    }
    const [level, number] = content
    if (number === undefined) return stop({ state: 'malformed' })
    if (level !== WARNING || number === CLOSE_NOTIFY) {
      return stop({ state: 'alert', description: ALERTS[number] ?? String(number) })
    }
  }
  return stop({ state: 'incomplete' })
}

function readMessages(bytes: Buffer): Flight {
  let hello: ServerHello | undefined
  for (let offset = 0; bytes.length >= offset + 4; ) {
    const type = bytes[offset]
    const length = bytes.readUIntBE(offset + 1, 3)
    const body = bytes.subarray(offset + 4, offset + 4 + length)
    if (body.length < length) break
    offset += 4 + length
    if (type === MESSAGE.serverHello) {
      hello = readServerHello(body)
      if (!hello) return { state: 'malformed' }
      if (hello.version === TLS13) return { state: 'answered', ...hello }
    } else if (!hello) {
      return { state: 'malformed' }
    } else if (type === MESSAGE.certificate) {
      const certificates = readCertificates(body)
      if (!certificates) return { state: 'malformed' }
      hello = { ...hello, certificates }
    } else if (type === MESSAGE.keyExchange) {
      hello = { ...hello, group: body[0] === NAMED_CURVE && body.length >= 3 ? body.readUInt16BE(1) : undefined }
    } else if (type === MESSAGE.certificateRequest) {
      hello = { ...hello, asksForCertificate: true }
    } else if (type === MESSAGE.done) {
      return { state: 'answered', ...hello }
    }
  }
  return { state: 'incomplete' }
}

/** Version, 32 random bytes, session, suite, compression, extensions. */
function readServerHello(body: Buffer): ServerHello | undefined {
  const sessionLength = body[34] ?? 0
  const at = 35 + sessionLength
  if (body.length < at + 3) return undefined
  const version = readSelectedVersion(body.subarray(at + 5)) ?? body.readUInt16BE(0)
  return { version, suite: body.readUInt16BE(at), group: undefined, certificates: [], asksForCertificate: false }
}

function readSelectedVersion(extensions: Buffer): number | undefined {
  for (let offset = 0; extensions.length >= offset + 4; ) {
    const length = extensions.readUInt16BE(offset + 2)
    if (extensions.readUInt16BE(offset) === SUPPORTED_VERSIONS && length === 2 && extensions.length >= offset + 6) {
      return extensions.readUInt16BE(offset + 4)
    }
    offset += 4 + length
  }
  return undefined
}

function readCertificates(body: Buffer): Buffer[] | undefined {
  if (body.length < 3 || body.readUIntBE(0, 3) !== body.length - 3) return undefined
  const certificates: Buffer[] = []
  for (let offset = 3; offset < body.length; ) {
    if (body.length < offset + 3) return undefined
    const length = body.readUIntBE(offset, 3)
    if (length === 0 || body.length < offset + 3 + length) return undefined
    certificates.push(body.subarray(offset + 3, offset + 3 + length))
    offset += 3 + length
  }
  return certificates
}
