/** What a listener is given to serve, proven to work before anything is changed. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { WlbError } from '../base/error.js'
import { describeCertificate, readPemBlocks } from '../x509/index.js'

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
  if (!leaf) throw certificateMissing()
  const key = readKey(privateKeyPem)
  if (!leaf.checkPrivateKey(key)) throw keyMismatch(leaf)
  try {
    createSecureContext({ cert: certificatePem, key: privateKeyPem })
  } catch (error) {
    throw refused(leaf, error)
  }
  return leaf
}

function readCertificate(der: Buffer, index: number): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (error) {
    throw new WlbError(
      'CERTIFICATE_MALFORMED',
      'A block is labelled as a certificate and is none.',
      { block: index + 1 },
      'openssl x509 -noout -text -in server.pem',
      error,
    )
  }
}

function readKey(pem: string): KeyObject {
  const block = readPemBlocks(pem).find(({ label }) => label.endsWith('PRIVATE KEY'))
  if (!block) throw keyMissing()
  if (block.label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED\s*$/m.test(pem)) throw keyEncrypted()
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new WlbError(
      'KEY_MALFORMED',
      'The private key cannot be read.',
      { label: block.label },
      'openssl pkey -noout -check -in server.key',
      error,
    )
  }
}

function certificateMissing(): WlbError {
  return new WlbError(
    'CERTIFICATE_MISSING',
    'There is no certificate in the text.',
    {},
    'openssl x509 -noout -subject -in server.pem',
  )
}

function keyMissing(): WlbError {
  return new WlbError(
    'KEY_MISSING',
    'There is no private key in the text.',
    {},
    'openssl pkey -noout -check -in server.key',
  )
}

function keyEncrypted(): WlbError {
  return new WlbError(
    'KEY_ENCRYPTED',
    'The private key is encrypted, and nobody is there to type its passphrase when the appliance starts.',
    {},
    'openssl pkey -in server.key -out server.key.plain',
  )
}

function keyMismatch(leaf: X509Certificate): WlbError {
  return new WlbError(
    'CERTIFICATE_KEY_MISMATCH',
    'The private key does not belong to the first certificate.',
    { subject: describeCertificate(leaf).subject },
    'openssl x509 -noout -pubkey -in server.pem; openssl pkey -pubout -in server.key',
  )
}

function refused(leaf: X509Certificate, cause: unknown): WlbError {
  return new WlbError(
    'IDENTITY_REFUSED',
    'OpenSSL refuses to serve this certificate and key.',
    { subject: describeCertificate(leaf).subject, why: cause instanceof Error ? cause.message : String(cause) },
    'openssl x509 -noout -text -in server.pem',
    cause,
  )
}
