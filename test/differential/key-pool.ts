/** Keys made once and used by every set: RSA keys cost more than everything else in a certificate. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { nextRsaKey } from '../rsa-keys.js'

/** Enough for a chain and its twins to differ. */
export const PLAIN_KEYS: readonly string[] = Array.from({ length: 10 }, (_, index) => `rsa2048-${index}`)
/** Around 2048 bits lies the border of OpenSSL's 112 bits of strength, and it is not exactly there. */
export const ODD_RSA_KEYS = ['rsa1024', 'rsa1536', 'rsa1840', 'rsa1900', 'rsa1984', 'rsa2047', 'rsa3072', 'rsa4096']

const CURVES: Readonly<Record<string, string>> = {
  p256: 'P-256',
  p384: 'P-384',
  p521: 'P-521',
  p224: 'secp224r1',
  p192: 'prime192v1',
  p256k1: 'secp256k1',
  p256explicit: 'P-256',
}

export interface PooledKey {
  readonly name: string
  readonly privateKey: KeyObject
  readonly privateKeyPem: string
  readonly spki: Buffer
  readonly kind: 'rsa' | 'rsa-pss' | 'ec' | 'ed'
}

/** A name always gives the same key: `rsa` and its bits, a curve, `ed25519`, `ed448`, `rsapss`. */
export type KeyPool = (name: string) => PooledKey

/** Makes each key when it is first asked for. */
export function createKeyPool(): KeyPool {
  const made = new Map<string, PooledKey>()
  return (name) => {
    const key = made.get(name) ?? makeKey(name)
    made.set(name, key)
    return key
  }
}

function makeKey(name: string): PooledKey {
  const { privateKey, publicKey } = generatePair(name)
  return {
    name,
    privateKey,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    kind: name === 'rsapss' ? 'rsa-pss' : name.startsWith('rsa') ? 'rsa' : name.startsWith('p') ? 'ec' : 'ed',
  }
}

function generatePair(name: string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (name === 'ed25519') return generateKeyPairSync('ed25519')
  if (name === 'ed448') return generateKeyPairSync('ed448')
  if (name === 'rsapss') return generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
  const namedCurve = CURVES[name]
  const paramEncoding = name === 'p256explicit' ? 'explicit' : 'named'
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve, paramEncoding })
  const privateKey = nextRsaKey(Number(/^rsa(\d+)/.exec(name)?.[1]))
  return { privateKey, publicKey: createPublicKey(privateKey) }
}
