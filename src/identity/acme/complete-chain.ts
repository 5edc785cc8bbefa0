/**
 * The root that authorities leave out, fetched from where the certificates themselves say that their issuers can be had (RFC
 * 5280, 4.2.2.1). It needs no protection on the way: it has to have signed what the authority has sent.
 */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { encodePem, isSelfSigned, readContainers } from '../../x509/index.js'
import { caIssuersOf, hasSigned } from './anchor.js'

const TIMEOUT_MS = 10_000
const LIMIT_BYTES = 64 * 1024
/** An authority above the topmost one that is sent, and perhaps one above that. */
const STEPS = 3

/**
 * Returns the chain with its root behind it, or as it was where the root cannot be had: it is of use without, too. `known`:
 * certificates that are at hand, such as those that the authority's own HTTPS is verified with.
 */
export async function completeChain(
  chainPem: string,
  signal: AbortSignal,
  known: readonly X509Certificate[] = [],
): Promise<string> {
  const sent = readAll(Buffer.from(chainPem))
  const added: X509Certificate[] = []
  for (let top = sent.at(-1); top && !isSelfSigned(top) && added.length < STEPS; top = added.at(-1)) {
    const child = top
    const issuer = known.find((one) => hasSigned(one, child)) ?? (await fetchIssuer(child, signal))
    if (!issuer) return chainPem
    added.push(issuer)
  }
  const root = added.at(-1)
  if (!root || !isSelfSigned(root)) return chainPem
  return `${chainPem.trimEnd()}\n${added.map(({ raw }) => encodePem('CERTIFICATE', raw)).join('')}`
}

async function fetchIssuer(certificate: X509Certificate, signal: AbortSignal): Promise<X509Certificate | undefined> {
  const url = caIssuersOf(certificate)
  if (url === undefined) return undefined
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    const answer = await fetch(url, { signal: limit })
    if (!answer.ok || !answer.body) return undefined
    const pieces: Uint8Array[] = []
    let sizeBytes = 0
    for await (const piece of answer.body) {
      pieces.push(piece)
      sizeBytes += piece.length
      if (sizeBytes > LIMIT_BYTES) return undefined
    }
    return readAll(Buffer.concat(pieces)).find((candidate) => hasSigned(candidate, certificate))
  } catch {
    return undefined // nobody there, nothing that can be read: the operator is told where the root can be had
  }
}

/** DER, PEM or PKCS#7, as they are published. */
export function readAll(bytes: Buffer): X509Certificate[] {
  try {
    return readContainers([{ file: 'chain', bytes }]).certificates.map(({ certificate }) => certificate)
  } catch (error) {
    if (error instanceof WlbError) return []
    throw error
  }
}
