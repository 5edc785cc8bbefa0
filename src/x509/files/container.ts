/**
 * Everything people send certificates in: PEM of every label, DER, PKCS#7, PKCS#12, base64 without its armour. What a
 * thing is, its bytes say; what was unusual is noted; what is none of it is named. Work is bounded, whatever is sent.
 */

import { checkFileSize } from '../../base/file-size.js'
import { type ArmouredBlock, BLOCK_LIMIT, readArmour } from '../encoding/armour.js'
import { decodeText } from '../encoding/decode-text.js'
import { readElement, readElements, TAG } from '../encoding/der.js'
import { decodeBase64 } from '../encoding/pem.js'
import { fail } from '../errors.js'
import { type Contents, describePlace, Findings, ITEM_LIMIT, type ItemKind } from './findings.js'
import { describeForeignFile } from './foreign-file.js'
import { isKeyBlock, sealedBlock } from './private-key.js'

export interface NamedBytes {
  readonly file: string
  readonly bytes: Buffer
}

/**
 * Reads files in any form; the order is that of the files, and within a file its own. Nothing is sorted out or verified.
 * `passphrase` opens PKCS#12 files; keys are opened later, by whoever wants them.
 *
 * @throws FILE_TOO_LARGE, TOO_MANY_CERTIFICATES, FILE_UNRECOGNIZED, CERTIFICATE_MALFORMED, PEM_MALFORMED, and what
 * `readPkcs7` and `readPkcs12` throw.
 */
export function readContainers(files: readonly NamedBytes[], passphrase?: string): Contents {
  const found = new Findings()
  for (const file of files) readFile(file, passphrase, found)
  return found
}

function readFile({ file, bytes }: NamedBytes, passphrase: string | undefined, found: Findings): void {
  checkFileSize(file, bytes.length)
  const before = found.count
  const elements = splitDer(bytes)
  if (elements) {
    for (const der of elements) found.addDer(der, { file }, passphrase)
    if (found.count > before) return
  }
  const { text, encoding } = decodeText(bytes)
  const { blocks, oddities } = readArmour(text, file)
  if (blocks.length > BLOCK_LIMIT) throw fail('TOO_MANY_CERTIFICATES', { file, limit: ITEM_LIMIT })
  for (const block of blocks) addBlock(block, file, passphrase, found)
  if (found.count === before) addBareBase64(text, file, passphrase, found)
  if (found.count === before)
    throw fail('FILE_UNRECOGNIZED', { file, looksLike: describeOthers(blocks) ?? describeForeignFile(bytes, text) })

  if (encoding !== 'UTF-8') found.note({ file }, `the text is ${encoding}`)
  if (text.includes('\r')) found.note({ file }, 'the lines end as on Windows')
  for (const { line, text: what } of oddities) found.note({ file, ...(line !== undefined && { line }) }, what)
}

function describeOthers(blocks: readonly ArmouredBlock[]): string | undefined {
  const labels = [...new Set(blocks.map(({ label }) => label))].slice(0, 5)
  return labels.length === 0 ? undefined : `nothing but a ${labels.join(', a ')} block`
}

/** DER, or several one after the other; at most line ends behind it. Undefined when that is not what the bytes are. */
function splitDer(bytes: Buffer): Buffer[] | undefined {
  if (bytes[0] !== TAG.sequence) return undefined
  if (bytes[1] === 0x80) return [bytes]
  let end = bytes.length
  while (end > 0 && isBlank(bytes[end - 1])) end--
  const whole = readElement(bytes)?.bytes
  if (whole && whole.length >= end) return [whole]
  const elements = readElements(bytes.subarray(0, end))
  return elements?.every(({ tag }) => tag === TAG.sequence) ? elements.map((element) => element.bytes) : undefined
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x0a || byte === 0x0d || byte === 0x20
}

const CERTIFICATE_LABELS = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']
const CONTAINER_LABELS = ['PKCS7', 'PKCS #7 SIGNED DATA', 'CMS', 'PKCS12']
const REQUEST_LABELS = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']
const CRL_LABELS = ['X509 CRL', 'CRL']

function addBlock(block: ArmouredBlock, file: string, passphrase: string | undefined, found: Findings): void {
  const { label, der, line } = block
  const place = { file, line }
  if (isKeyBlock(block)) {
    found.addKey(sealedBlock(block, file), place)
    return
  }
  const expected = labelKind(label)
  if (!expected) {
    if (!label.endsWith(' PARAMETERS')) found.note(place, `a ${label} block, left out`)
    return
  }
  const count = found.count
  // behind the certificate, a TRUSTED block says what OpenSSL should use it for
  const first = readElement(der)?.bytes ?? der
  const kind = found.addDer(label === 'TRUSTED CERTIFICATE' ? first : der, place, passphrase)
  if (found.count === count && expected === 'certificate')
    throw fail('CERTIFICATE_MALFORMED', { where: describePlace(place) })
  if (found.count === count && kind !== 'pkcs7')
    throw fail('PEM_MALFORMED', { file, line, found: `the ${label} block holds something else` })
  if (label === 'TRUSTED CERTIFICATE') found.note(place, 'a TRUSTED CERTIFICATE block: only OpenSSL reads those')
  else if (kind !== expected) found.note(place, `the block is labelled ${label} and holds a ${kind}`)
}

function labelKind(label: string): ItemKind | undefined {
  if (CERTIFICATE_LABELS.includes(label)) return 'certificate'
  if (REQUEST_LABELS.includes(label)) return 'request'
  if (CRL_LABELS.includes(label)) return 'CRL'
  if (CONTAINER_LABELS.includes(label)) return label === 'PKCS12' ? 'pkcs12' : 'pkcs7'
  return undefined
}

/** What some portals show in a text field: the body of a block without its first and last line. */
function addBareBase64(text: string, file: string, passphrase: string | undefined, found: Findings): void {
  const der = decodeBase64(text.replace(/\s+/g, ''))
  if (!der || der[0] !== TAG.sequence) return
  const before = found.count
  found.addDer(der, { file }, passphrase)
  if (found.count > before) found.note({ file }, 'base64 without the lines that begin and end a PEM block')
}
