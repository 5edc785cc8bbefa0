/** Reads the certificate files of a command line within limits, and finds commands that do the same by hand. */
import { checkFileSize, FILE_LIMIT_BYTES, readLimitedFile, readStandardInput } from '../../base/files/limited-file.js'
import { quoteFile } from '../../base/text/quote-word.js'
import type { FileContents, NamedBytes, Place } from '../../x509/index.js'

/**
 * Reads the bytes of each file, each once; `-` is standard input.
 *
 * @throws what `readLimitedFile` throws.
 */
export async function readCertificateFiles(files: readonly string[]): Promise<NamedBytes[]> {
  const read: NamedBytes[] = []
  for (const file of new Set(files)) {
    read.push({ file, bytes: file === '-' ? await readInput() : await readLimitedFile(file) })
  }
  return read
}

async function readInput(): Promise<Buffer> {
  const bytes = await readStandardInput(FILE_LIMIT_BYTES)
  checkFileSize('standard input', bytes.length)
  return bytes
}

export interface CertificateSource {
  readonly place: Place
  /** The file holds this certificate in PEM and nothing else. */
  readonly isPlainFile: boolean
  /** Prints this certificate alone, in PEM. */
  readonly command: string
}

/** `files` are the files of `contents`. */
export function locate(place: Place, contents: FileContents, files: readonly NamedBytes[]): CertificateSource {
  const inFile = certificatesIn(place.file, contents)
  const isPlainFile = isPlain(place.file, contents, files) && inFile.length === 1
  const ordinal = isOdd(place.file, contents, files) ? inFile.indexOf(place) + 1 : undefined
  return { place, isPlainFile, command: isPlainFile ? `cat ${quoteFile(place.file)}` : printCommand(place, ordinal) }
}

/** `cat`, where whole files make up the chain in order; otherwise a command for each certificate. */
export function mergeCommand(
  sources: readonly CertificateSource[],
  contents: FileContents,
  files: readonly NamedBytes[],
): string {
  const names: string[] = []
  for (let index = 0; index < sources.length; ) {
    const file = sources[index]?.place.file ?? ''
    const inFile = certificatesIn(file, contents)
    const isWhole =
      isPlain(file, contents, files) && inFile.every((place, offset) => sources[index + offset]?.place === place)
    if (!isWhole) return `{ ${sources.map(({ command }) => command).join('; ')}; } > server.pem`
    names.push(quoteFile(file))
    index += inFile.length
  }
  return `cat ${names.join(' ')} > server.pem`
}

function certificatesIn(file: string, { certificates }: FileContents): Place[] {
  return certificates.map(({ place }) => place).filter((place) => place.file === file)
}

/** PEM certificates and nothing else. */
function isPlain(file: string, contents: FileContents, files: readonly NamedBytes[]): boolean {
  const certificates = certificatesIn(file, contents)
  const others = [...contents.keys, ...contents.requests, ...contents.crls]
  return (
    certificates.length > 0 &&
    certificates.every(({ line, part }) => line !== undefined && part === undefined) &&
    !others.some(({ place }) => place.file === file) &&
    !isOdd(file, contents, files)
  )
}

/** Something is unusual about it, or its last line has no newline, so that `cat` would join two lines. */
function isOdd(file: string, { notes }: FileContents, files: readonly NamedBytes[]): boolean {
  const lastByte = files.find((one) => one.file === file)?.bytes.at(-1)
  return lastByte !== 0x0a || notes.some(({ place }) => place.file === file)
}

/** `ordinal` says which certificate it is of a PEM file with something unusual about it. */
function printCommand({ file, line, part }: Place, ordinal: number | undefined): string {
  const name = quoteFile(file)
  const [, container, number] = /^(PKCS#\d+), certificate (\d+)$/.exec(part ?? '') ?? []
  if (container === 'PKCS#7') {
    return `openssl pkcs7 -print_certs ${line === undefined ? '-inform der ' : ''}-in ${name} | ${pick(number)}`
  }
  if (container === 'PKCS#12') return `openssl pkcs12 -nokeys -in ${name} | ${pick(number)}`
  if (line === undefined) return `openssl x509 -inform der -in ${name}`
  if (ordinal === undefined) return `sed -n '${line},/-----END/p' ${name}`
  return `sed 's/-----BEGIN/\\n&/g' ${name} | ${pick(ordinal)} | openssl x509`
}

/** One certificate of several. */
function pick(number: string | number | undefined): string {
  return `awk '/-BEGIN .*CERTIFICATE-/{n++} n==${number}; /-END/&&n==${number}{exit}'`
}
