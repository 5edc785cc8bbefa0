/**
 * A ClientHello written by hand (RFC 5246, 7.4.1.2), so that what is offered is known to the byte: the answer of a
 * TLS 1.2 server comes in the clear, and no TLS library shows all of it.
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
