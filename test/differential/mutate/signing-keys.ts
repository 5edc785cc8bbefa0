/** The keys that sign mutated paths, and the algorithm identifiers that go with them (RFC 3279, 4055, 5480). */
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { integer, nothing, objectIdentifier, sequence, wrapped } from '../der-writer.js'
import type { Random } from '../random.js'

interface Pair {
  readonly privateKey: KeyObject
  readonly spki: Buffer
}

export type PathKeys = Readonly<Record<'leaf' | 'issuer' | 'root', Pair>>
type Kind = 'P-256' | 'RSA' | 'RSA for PSS alone'
export type Keys = Readonly<Record<Kind, PathKeys>>

export function createKeys(): Keys {
  const three = (create: () => { readonly privateKey: KeyObject; readonly publicKey: KeyObject }): PathKeys => {
    const pair = (): Pair => {
      const { privateKey, publicKey } = create()
      return { privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) }
    }
    return { root: pair(), issuer: pair(), leaf: pair() }
  }
  const forPss = { modulusLength: 2048, hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256' }
  return {
    'P-256': three(() => generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    RSA: three(() => generateKeyPairSync('rsa', { modulusLength: 2048 })),
    'RSA for PSS alone': three(() => generateKeyPairSync('rsa-pss', forPss)),
  }
}

const SHA256 = sequence(objectIdentifier('2.16.840.1.101.3.4.2.1'), nothing())
const SALT_BYTES = 32
const IDENTIFIERS = {
  ecdsa: sequence(objectIdentifier('1.2.840.10045.4.3.2')),
  pkcs1: sequence(objectIdentifier('1.2.840.113549.1.1.11'), nothing()),
  pss: sequence(
    objectIdentifier('1.2.840.113549.1.1.10'),
    sequence(
      wrapped(0, SHA256),
      wrapped(1, sequence(objectIdentifier('1.2.840.113549.1.1.8'), SHA256)),
      wrapped(2, integer(SALT_BYTES)),
      wrapped(3, integer(1)),
    ),
  ),
}
type Scheme = keyof typeof IDENTIFIERS

export interface Signing {
  readonly keys: PathKeys
  /** The right one for these keys; SHA-256 in each. */
  readonly algorithm: Buffer
  readonly sign: (part: Buffer, by: 'issuer' | 'root') => Buffer
}

/** Mostly P-256: a signature with RSA takes more time than all the rest of a case. */
export function drawSigning(random: Random, all: Keys): Signing {
  const [kind, scheme] = random.pick<readonly [Kind, Scheme]>([
    ...Array.from({ length: 7 }, () => ['P-256', 'ecdsa'] as const),
    ['RSA', 'pkcs1'],
    ['RSA', 'pss'],
    ['RSA for PSS alone', 'pss'],
  ])
  const keys = all[kind]
  const padding = scheme === 'pss' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_BYTES } : {}
  return {
    keys,
    algorithm: IDENTIFIERS[scheme],
    sign: (part, by) => sign('sha256', part, { key: keys[by].privateKey, ...padding }),
  }
}
