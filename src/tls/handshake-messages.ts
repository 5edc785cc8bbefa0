/**
 * The first messages of a handshake, written and read by hand (RFC 5246, 7.4), so that what is offered is known to the byte: the
 * answer of a TLS 1.2 server comes in the clear, and no TLS library shows all of it.
 */

export interface Offer {
  /** TLS 1.3 alone, or 1.2 and whatever older version the server prefers. */
  readonly version: 'TLSv1.2' | 'TLSv1.3'
  readonly suites: readonly number[]
  readonly groups: readonly number[]
  /** Sent as it is, an address too: stunnel does so. */
  readonly serverName: string
}

/** Names are OpenSSL's, numbers IANA's. */
export const SUITES = {
  pool: { 'ECDHE-RSA-AES256-GCM-SHA384': 0xc030, 'ECDHE-RSA-AES128-GCM-SHA256': 0xc02f },
  otherRsa: {
    'ECDHE-RSA-CHACHA20-POLY1305': 0xcca8,
    'ECDHE-RSA-AES256-SHA384': 0xc028,
    'ECDHE-RSA-AES128-SHA256': 0xc027,
    'ECDHE-RSA-AES256-SHA': 0xc014,
    'ECDHE-RSA-AES128-SHA': 0xc013,
    'DHE-RSA-AES256-GCM-SHA384': 0x009f,
    'DHE-RSA-AES128-GCM-SHA256': 0x009e,
    'AES256-GCM-SHA384': 0x009d,
    'AES128-GCM-SHA256': 0x009c,
    'AES256-SHA256': 0x003d,
    'AES128-SHA256': 0x003c,
    'AES256-SHA': 0x0035,
    'AES128-SHA': 0x002f,
    'DES-CBC3-SHA': 0x000a,
  },
  ecdsa: {
    'ECDHE-ECDSA-AES256-GCM-SHA384': 0xc02c,
    'ECDHE-ECDSA-AES128-GCM-SHA256': 0xc02b,
    'ECDHE-ECDSA-CHACHA20-POLY1305': 0xcca9,
    'ECDHE-ECDSA-AES256-SHA': 0xc00a,
    'ECDHE-ECDSA-AES128-SHA': 0xc009,
  },
  tls13: { TLS_AES_256_GCM_SHA384: 0x1302, TLS_CHACHA20_POLY1305_SHA256: 0x1303, TLS_AES_128_GCM_SHA256: 0x1301 },
} as const

export const GROUPS = {
  pool: { secp384r1: 24 },
  other: { prime256v1: 23, secp521r1: 25, X25519: 29, X448: 30 },
} as const

/** What OpenSSL 3 offers at security level 2: nothing with SHA-1. */
const SIGNATURE_ALGORITHMS = [
  0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
  0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602,
]
const EMPTY_RENEGOTIATION_INFO = 0x00ff
const EXTENSION = {
  serverName: 0,
  groups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  sessionTicket: 35,
  supportedVersions: 43,
  keyShare: 51,
}

/** Writes the one record that opens a connection. `random` is 32 bytes. */
export function encodeClientHello({ version, suites, groups, serverName }: Offer, random: Buffer): Buffer {
  const isNew = version === 'TLSv1.3'
  const extensions = [
    ...(serverName === '' ? [] : [extension(EXTENSION.serverName, counted16(serverNameEntry(serverName)))]),
    extension(EXTENSION.pointFormats, Buffer.from([1, 0])),
    extension(EXTENSION.groups, counted16(numbers16(groups))),
    extension(EXTENSION.signatureAlgorithms, counted16(numbers16(SIGNATURE_ALGORITHMS))),
    ...(isNew
      ? // no key share at all: the server has to name the group it would like, and has answered with that
        [
          extension(EXTENSION.supportedVersions, Buffer.from([2, 0x03, 0x04])),
          extension(EXTENSION.keyShare, counted16(Buffer.alloc(0))),
        ]
      : [EXTENSION.sessionTicket, EXTENSION.encryptThenMac, EXTENSION.extendedMasterSecret].map((type) =>
          extension(type, Buffer.alloc(0)),
        )),
  ]
  const body = Buffer.concat([
    Buffer.from([0x03, 0x03]),
    random,
    Buffer.from([0]), // no session to resume
    counted16(numbers16([...suites, EMPTY_RENEGOTIATION_INFO])),
    Buffer.from([1, 0]), // no compression
    counted16(Buffer.concat(extensions)),
  ])
  const message = Buffer.concat([Buffer.from([1, 0]), counted16(body)])
  return Buffer.concat([Buffer.from([22, 0x03, 0x01]), counted16(message)])
}

function serverNameEntry(name: string): Buffer {
  return Buffer.concat([Buffer.from([0]), counted16(Buffer.from(name, 'latin1'))])
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([numbers16([type]), counted16(content)])
}

/** With its length before it, in two bytes. */
function counted16(content: Buffer): Buffer {
  return Buffer.concat([numbers16([content.length]), content])
}

function numbers16(numbers: readonly number[]): Buffer {
  return Buffer.from(numbers.flatMap((number) => [number >> 8, number & 0xff]))
}

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
/** After a warning, an unknown name for example, the handshake goes on. */
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
