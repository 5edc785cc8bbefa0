/** Names what a file holds, for somebody who gave another one than was asked for. */
import { WlbError } from '../../base/error.js'
import { readCrl } from '../validate/crl.js'
import { type FileContents, readContainers } from './container.js'

/** `a private key`, `a certificate and a private key`, `a PKCS#12`, `a ZIP archive: unpack it, and give the files in it`. */
export function describeFile(bytes: Buffer): string {
  try {
    return describeContents(readContainers([{ file: '', bytes }]))
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    if (error.code === 'FILE_UNRECOGNIZED') return String(error.facts.looksLike)
    if (error.code.startsWith('PKCS12_')) return 'a PKCS#12 (.p12, .pfx)'
    return 'something damaged'
  }
}

/** Whether a list names only what changed since another one (RFC 5280, 5.2.4). */
export function isDeltaCrl(der: Buffer): boolean {
  return readCrl(der)?.isDelta === true
}

function describeContents({ certificates, keys, requests, crls }: FileContents): string {
  const isDelta = crls.some(({ der }) => isDeltaCrl(der))
  const kinds: readonly [count: number, one: string][] = [
    [certificates.length, 'a certificate'],
    [keys.length, 'a private key'],
    [requests.length, 'a certificate request (CSR)'],
    [crls.length, isDelta ? 'a delta revocation list' : 'a revocation list (CRL)'],
  ]
  return kinds.flatMap(([count, one]) => (count > 0 ? [one] : [])).join(' and ') || 'a PKCS#7 without certificates'
}
