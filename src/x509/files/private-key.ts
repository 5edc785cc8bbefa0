/**
 * Private keys in every form OpenSSL has written them: PKCS#8 and the traditional ones, PEM and DER, encrypted or not.
 * Node opens them; this file says why one does not open.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { decodeText } from '../../base/files/given-text.js'
import { fieldsOf, readElement } from '../encoding/der.js'
import { type LenientBlock, readLenientPem } from '../encoding/lenient-pem.js'
import { encodePem } from '../encoding/pem.js'
import { fail } from '../errors.js'
import { type DerKind, describeForeignFile, recognizeDer } from './file-kind.js'
import { checkWork, readPasswordScheme, workOf } from './password-encryption.js'

/** A key that was found and is not opened yet. */
export interface SealedKey {
  readonly encrypted: boolean
  /**
   * @throws KEY_PASSPHRASE_NEEDED, KEY_PASSPHRASE_WRONG when it is encrypted.
   * @throws KEY_FORMAT_UNSUPPORTED, PASSWORD_TOO_COSTLY when it is encrypted in a way we do not open.
   * @throws KEY_MALFORMED when it is no key after all.
   */
  open(passphrase: string | undefined): KeyObject
}

/** Larger than any key: 16,384 bits of RSA are 10 kB. */
const SIZE_LIMIT = 128 * 1024

/**
 * Reads the private key of a file: its only content, or the first key block among others.
 *
 * @throws KEY_MISSING, PEM_MALFORMED, and what `SealedKey.open` throws.
 */
export function readPrivateKey(bytes: Buffer, passphrase: string | undefined, file = 'server.key'): KeyObject {
  return findPrivateKey(bytes, file).open(passphrase)
}

/** @throws KEY_MISSING when there is none; PEM_MALFORMED when a block is damaged. */
export function findPrivateKey(bytes: Buffer, file: string): SealedKey {
  const kind = recognizeDer(bytes)
  if (isKeyKind(kind)) return sealedDer(bytes, kind, file)
  const { text } = decodeText(bytes)
  const blocks = bytes.length <= SIZE_LIMIT ? readLenientPem(text, file).blocks : []
  const block = blocks.find(isKeyBlock)
  if (!block)
    throw fail('KEY_MISSING', { file, found: describeOthers(kind, blocks) ?? describeForeignFile(bytes, text) })
  return sealedBlock(block, file)
}

function describeOthers(kind: DerKind, blocks: readonly LenientBlock[]): string | undefined {
  if (kind === 'pkcs12') return 'a PKCS#12 (.p12, .pfx): give it among the certificate files'
  if (kind === 'pkcs7') return 'a PKCS#7, which has no keys'
  if (kind === 'signed') return 'a certificate, a certificate request or a revocation list in DER'
  const labels = [...new Set(blocks.map(({ label }) => label))].slice(0, 5)
  return labels.length === 0 ? undefined : `nothing but a ${labels.join(', a ')} block`
}

/** Writes PKCS#8 without a passphrase, as an appliance serves it: nobody is there to type one when it starts. */
export function exportPrivateKey(key: KeyObject): string {
  return encodePem('PRIVATE KEY', key.export({ type: 'pkcs8', format: 'der' }))
}

export function isKeyBlock({ label }: Pick<LenientBlock, 'label'>): boolean {
  return label.endsWith('PRIVATE KEY')
}

export function isKeyKind(kind: DerKind): kind is KeyKind {
  return kind === 'pkcs8' || kind === 'encrypted pkcs8' || kind === 'pkcs1' || kind === 'sec1'
}

type KeyKind = 'pkcs8' | 'encrypted pkcs8' | 'pkcs1' | 'sec1'

export function sealedDer(der: Buffer, kind: KeyKind, file: string): SealedKey {
  const encrypted = kind === 'encrypted pkcs8'
  const type = encrypted ? 'pkcs8' : kind
  return {
    encrypted,
    open: (passphrase) => {
      if (encrypted) checkScheme(der, file)
      return open(file, encrypted, passphrase, (secret) =>
        createPrivateKey({ key: der, format: 'der', type, ...secret }),
      )
    },
  }
}

export function sealedBlock(block: LenientBlock, file: string): SealedKey {
  const { label, headers, der } = block
  if (label === 'ENCRYPTED PRIVATE KEY') return sealedDer(der, 'encrypted pkcs8', file)
  const encrypted = headers.some((header) => /^Proc-Type:.*ENCRYPTED/.test(header))
  return {
    encrypted,
    open: (passphrase) => {
      const why = unsupportedBlock(block)
      if (why) throw fail('KEY_FORMAT_UNSUPPORTED', { file, format: why })
      const [begin, ...rest] = encodePem(label, der).split('\n')
      const pem = [begin, ...headers, ...(headers.length > 0 ? [''] : []), ...rest].join('\n')
      return open(file, encrypted, passphrase, (secret) => createPrivateKey({ key: pem, format: 'pem', ...secret }))
    },
  }
}

/** Node opens what OpenSSL's default provider knows; RC2 and single DES went to the legacy one. */
function unsupportedBlock({ label, headers }: LenientBlock): string | undefined {
  if (label === 'OPENSSH PRIVATE KEY') return "OpenSSH's own form"
  const cipher = headers.map((header) => /^DEK-Info: *([A-Za-z0-9-]+)/.exec(header)?.[1]).find(Boolean)
  return cipher && /^(DES-CBC|RC2|IDEA|BF|SEED|RC4)/i.test(cipher) ? cipher : undefined
}

function checkScheme(der: Buffer, file: string): void {
  const [algorithm] = fieldsOf(readElement(der))
  const scheme = readPasswordScheme(algorithm)
  if (!scheme) throw fail('KEY_MALFORMED', { file, why: 'its encryption parameters make no sense' })
  if (scheme.kind === 'unsupported') throw fail('KEY_FORMAT_UNSUPPORTED', { file, format: scheme.name })
  checkWork(workOf(scheme, 'openssl'), file)
}

function open(
  file: string,
  encrypted: boolean,
  passphrase: string | undefined,
  read: (secret: { passphrase?: string }) => KeyObject,
): KeyObject {
  if (encrypted && passphrase === undefined) throw fail('KEY_PASSPHRASE_NEEDED', { file })
  try {
    return read(encrypted && passphrase !== undefined ? { passphrase } : {})
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ERR_OSSL_EVP_UNSUPPORTED' && encrypted)
      throw fail('KEY_FORMAT_UNSUPPORTED', { file, format: 'a cipher OpenSSL gave up' }, error)
    // Once in 256 times a wrong passphrase leaves a padding that looks right, and garbage instead of a key.
    if (encrypted) throw fail('KEY_PASSPHRASE_WRONG', { file }, error)
    throw fail('KEY_MALFORMED', { file, why: error instanceof Error ? error.message : String(error) }, error)
  }
}
