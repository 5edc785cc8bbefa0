/** What every certificate and list that is signed here has in common: RSA with SHA-256, and the day before. */
import { createPublicKey, generateKeyPair, type KeyObject, webcrypto } from 'node:crypto'
import { promisify } from 'node:util'

export const DAY_MS = 86_400_000
/** Hosts whose clocks run late refuse a certificate, or a list, from their future. */
export const BACKDATE_MS = 24 * 3_600_000
export const SIGNATURE = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

/** Loads the schema library: late, because it takes longer than everything else a command does. */
export async function loadLibrary() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/** Makes an RSA key: pools offer no suite for another kind. */
export async function createRsaKey(bits: number): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: bits, publicExponent: 0x10001 })
  return privateKey
}

export function importSigningKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), SIGNATURE, false, ['sign'])
}

/** Takes the public half, whichever half is given. */
export function importPublicKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })
  return webcrypto.subtle.importKey('spki', spki, SIGNATURE, true, ['verify'])
}

/** The next second, for certificates and lists know no smaller unit; upwards, so that thirty days are not 29. */
export function nextSecond(timeMs: number): Date {
  return new Date(Math.ceil(timeMs / 1000) * 1000)
}
