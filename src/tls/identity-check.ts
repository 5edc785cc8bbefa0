/** What a listener is given to serve, proven to work before anything is changed. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { describeCertificate, readPemBlocks } from '../x509/index.js'
import { fail } from './errors.js'

export interface ServedIdentity {
  /** Leaf first, then intermediates, as they are sent. */
  readonly certificatePem: string
  /** Not encrypted. */
  readonly privateKeyPem: string
}

/**
 * Checks that the key belongs to the first certificate and that OpenSSL takes both; returns the leaf.
 *
 * @throws PEM_MALFORMED when a text is not PEM.
 * @throws CERTIFICATE_MISSING when `certificatePem` holds no certificate.
 * @throws CERTIFICATE_MALFORMED when a certificate in it cannot be read.
 * @throws KEY_MISSING when `privateKeyPem` holds no private key.
 * @throws KEY_ENCRYPTED when the key needs a passphrase.
 * @throws KEY_MALFORMED when the key cannot be read.
 * @throws CERTIFICATE_KEY_MISMATCH when the key belongs to another certificate.
 */
export function checkIdentity({ certificatePem, privateKeyPem }: ServedIdentity): X509Certificate {
  const certificates = readPemBlocks(certificatePem).filter(({ label }) => label === 'CERTIFICATE')
  const [leaf] = certificates.map(({ der }, index) => readCertificate(der, index))
  if (!leaf) throw fail('CERTIFICATE_MISSING', {})
  const key = readKey(privateKeyPem)
  if (!leaf.checkPrivateKey(key)) throw fail('CERTIFICATE_KEY_MISMATCH', { subject: describeCertificate(leaf).subject })
  try {
    createSecureContext({ cert: certificatePem, key: privateKeyPem })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw fail('IDENTITY_REFUSED', { subject: describeCertificate(leaf).subject, why }, error)
  }
  return leaf
}

function readCertificate(der: Buffer, index: number): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (error) {
    throw fail('CERTIFICATE_MALFORMED', { block: index + 1 }, error)
  }
}

function readKey(pem: string): KeyObject {
  const block = readPemBlocks(pem).find(({ label }) => label.endsWith('PRIVATE KEY'))
  if (!block) throw fail('KEY_MISSING', {})
  if (block.label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED\s*$/m.test(pem))
    throw fail('KEY_ENCRYPTED', {})
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw fail('KEY_MALFORMED', { label: block.label }, error)
  }
}
