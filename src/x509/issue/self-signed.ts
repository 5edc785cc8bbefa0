/** The certificate an appliance makes for itself, and what is in it for which reason (docs/protocol/pool.md). */
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { COMMON_NAME_LIMIT } from '../../base/names/host-name.js'
import { encodePem } from '../encoding/pem.js'
import { exportPrivateKey } from '../files/private-key.js'
import {
  BACKDATE_MS,
  createRsaKey,
  createSerialNumber,
  DAY_MS,
  loadLibrary,
  serverExtensions,
  signCertificate,
} from './signing.js'

export interface SelfSignedRequest {
  /** Fully qualified; the common name, and the first dNSName. */
  readonly hostname: string
  /** IP addresses the appliance is reached by. Pools do not look at them, browsers and our own commands do. */
  readonly addresses: readonly string[]
  readonly now: Date
  readonly lifetimeDays?: number
  readonly keyBits?: number
  /** An RSA key that is there already. */
  readonly key?: KeyObject
  /** Further dNSNames. */
  readonly subjectAltName?: readonly string[]
}

export interface Identity {
  readonly certificatePem: string
  /** PKCS#8, not encrypted. */
  readonly privateKeyPem: string
}

/**
 * Makes an RSA key and a certificate signed with it (SHA-256). Pools offer RSA suites only, so there is no choice of key.
 *
 * It is no authority (CA:FALSE, no keyCertSign). Pools, openssl, curl, GnuTLS and Java take a self-signed certificate
 * as its own anchor either way (measured), the strict readers of the web's rules refuse an authority as a server, and
 * every host of the pool is going to trust it: a stolen key must not be able to vouch for other names. The strict ones
 * also want both key identifiers.
 */
export async function createSelfSigned(request: SelfSignedRequest): Promise<Identity> {
  const { hostname, addresses, now, lifetimeDays = 3650, keyBits = 2048, subjectAltName = [] } = request
  const x509 = await loadLibrary()
  const key = request.key ?? (await createRsaKey(keyBits))

  const isAddress = isIP(hostname) !== 0
  const shortName = isAddress ? hostname : hostname.split('.', 1).join('')
  const commonName = hostname.length <= COMMON_NAME_LIMIT ? hostname : shortName.slice(0, COMMON_NAME_LIMIT)
  // an address is no dNSName: without any, pools compare it with the common name
  const dnsNames = isAddress ? subjectAltName : [hostname, shortName, ...subjectAltName]
  const ipAddresses = isAddress ? [hostname, ...addresses] : addresses
  const name = new x509.Name([{ CN: [commonName] }])
  const names = { dnsNames: [...new Set(dnsNames)], ipAddresses: [...new Set(ipAddresses)] }
  const certificate = await signCertificate({
    serialNumber: createSerialNumber(),
    subject: name,
    issuer: name,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + lifetimeDays * DAY_MS),
    publicKey: key,
    issuerKey: key,
    extensions: await serverExtensions(names, key, key),
  })
  return {
    certificatePem: encodePem('CERTIFICATE', certificate.raw),
    privateKeyPem: exportPrivateKey(key),
  }
}
