/** Keys made once and used by every set: RSA keys cost more than everything else in a certificate. */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

const generate = promisify(generateKeyPair)

/** Twelve authorities and leafs can differ; the odd sizes are one each. */
const PLAIN = Array.from({ length: 10 }, (_, index) => `rsa2048-${index}`)
export const PLAIN_KEYS: readonly string[] = PLAIN
/** Around 2048 bits lies the border of OpenSSL's 112 bits of strength, and it is not exactly there. */
export const ODD_RSA_KEYS = ['rsa1024', 'rsa1536', 'rsa1840', 'rsa1900', 'rsa1984', 'rsa2047', 'rsa3072', 'rsa4096']
const OTHER_KEYS = [
  'p256',
  'p384',
  'p521',
  'p224',
  'p192',
  'p256k1',
  'p256explicit',
  'ed25519',
  'ed448',
  'rsapss',
]

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

export type KeyPool = ReadonlyMap<string, PooledKey>

/** Makes all of them, some seconds of work. */
export async function makeKeyPool(): Promise<KeyPool> {
  const names = [...PLAIN, ...ODD_RSA_KEYS, ...OTHER_KEYS]
  const keys = await Promise.all(names.map(async (name) => [name, await makeKey(name)] as const))
  return new Map(keys)
}

async function makeKey(name: string): Promise<PooledKey> {
  const { privateKey, publicKey } = await generatePair(name)
  return {
    name,
    privateKey,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    kind: name === 'rsapss' ? 'rsa-pss' : name.startsWith('rsa') ? 'rsa' : name.startsWith('p') ? 'ec' : 'ed',
  }
}

function generatePair(name: string): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  if (name === 'ed25519') return generate('ed25519')
  if (name === 'ed448') return generate('ed448')
  if (name === 'rsapss') return generate('rsa-pss', { modulusLength: 2048 })
  const namedCurve = CURVES[name]
  const paramEncoding = name === 'p256explicit' ? 'explicit' : 'named'
  if (namedCurve !== undefined) return generate('ec', { namedCurve, paramEncoding })
  return generate('rsa', { modulusLength: Number(/^rsa(\d+)/.exec(name)?.[1]) })
}
