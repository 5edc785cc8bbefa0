/** Signatures of every kind an issuer may use, good and bad ones (RFC 3279, 4055, 5758, 8410). */
import { constants, sign } from 'node:crypto'
import { integer, nothing, objectIdentifier, sequence, wrapped } from './der-writer.js'
import type { PooledKey } from './key-pool.js'

export type Digest = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'

export interface SignatureKind {
  readonly digest: Digest
  /** RSASSA-PSS even where the key does not ask for it. */
  readonly pss?: boolean
  /** An algorithm nobody knows, over a signature nobody can check. */
  readonly unknown?: boolean
}

const RSA: Readonly<Record<Digest, string>> = {
  md5: '1.2.840.113549.1.1.4',
  sha1: '1.2.840.113549.1.1.5',
  sha224: '1.2.840.113549.1.1.14',
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
}
const ECDSA: Readonly<Record<Digest, string>> = {
  md5: '1.2.840.10045.4.3.2', // no such thing: a digest that does not fit the name
  sha1: '1.2.840.10045.4.1',
  sha224: '1.2.840.10045.4.3.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
}
const HASH: Readonly<Record<Digest, string>> = {
  md5: '1.2.840.113549.2.5',
  sha1: '1.3.14.3.2.26',
  sha224: '2.16.840.1.101.3.4.2.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
}
const SALT_BYTES: Readonly<Record<Digest, number>> = {
  md5: 16,
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
}

/** Digest and salt of 64 bytes each do not fit into 1024 bits. */
function saltBytes(key: PooledKey, digest: Digest): number {
  return key.name === 'rsa1024' ? 20 : SALT_BYTES[digest]
}

/** The AlgorithmIdentifier that stands twice in a certificate. */
export function signatureAlgorithm(key: PooledKey, { digest, pss, unknown }: SignatureKind): Buffer {
  if (unknown) return sequence(objectIdentifier('1.3.6.1.4.1.55555.1.1'))
  if (key.kind === 'ed') return sequence(objectIdentifier(key.name === 'ed448' ? '1.3.101.113' : '1.3.101.112'))
  if (key.kind === 'ec') return sequence(objectIdentifier(ECDSA[digest]))
  if (key.kind === 'rsa' && !pss) return sequence(objectIdentifier(RSA[digest]), nothing())
  const hash = sequence(objectIdentifier(HASH[digest]), nothing())
  return sequence(
    objectIdentifier('1.2.840.113549.1.1.10'),
    sequence(
      wrapped(0, hash),
      wrapped(1, sequence(objectIdentifier('1.2.840.113549.1.1.8'), hash)),
      wrapped(2, integer(saltBytes(key, digest))),
    ),
  )
}

export function signBytes(bytes: Buffer, key: PooledKey, { digest, pss }: SignatureKind): Buffer {
  if (key.kind === 'ed') return sign(null, bytes, key.privateKey)
  if (key.kind === 'ec' || (key.kind === 'rsa' && !pss)) return sign(digest, bytes, key.privateKey)
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return sign(digest, bytes, { key: key.privateKey, padding, saltLength: saltBytes(key, digest) })
}
