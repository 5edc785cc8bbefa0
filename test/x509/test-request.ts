/** Certificate signing requests for tests, right and wrong ones alike. */
import { createPublicKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { cacheForFile } from '../file-cache.js'
import { nextRsaKey } from '../rsa-keys.js'

export type RequestKey = 'rsa1024' | 'rsa2048' | 'ec' | 'ed25519'

export interface RequestSpec {
  /** RFC 4514, the most general field first: `C=CA, CN=wlb.example.com`. */
  readonly subject?: string
  /** As openssl writes them: `DNS:a.example.com IP:192.0.2.1 email:a@b.c`. */
  readonly names?: string
  readonly key?: RequestKey
  /** Asks to be an authority, too. */
  readonly asksForAuthority?: boolean
}

/** Makes a request in DER. */
export async function makeRequest(spec: RequestSpec): Promise<Buffer> {
  const { subject = '', names = '', key = 'rsa2048', asksForAuthority = false } = spec
  const pair = keyFor(key)
  const algorithm = algorithmOf(key)
  const privateDer = pair.privateKey.export({ type: 'pkcs8', format: 'der' })
  const publicDer = pair.publicKey.export({ type: 'spki', format: 'der' })
  const { subtle } = webcrypto
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys: {
      privateKey: await subtle.importKey('pkcs8', privateDer, algorithm, true, ['sign']),
      publicKey: await subtle.importKey('spki', publicDer, algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
    extensions: [
      ...(names ? [new x509.SubjectAlternativeNameExtension(names.split(' ').map(parseName))] : []),
      ...(asksForAuthority ? [new x509.BasicConstraintsExtension(true, undefined, true)] : []),
    ],
  })
  return Buffer.from(request.rawData)
}

const KINDS: Readonly<Record<string, x509.GeneralNameType>> = { DNS: 'dns', IP: 'ip', email: 'email', URI: 'url' }

function parseName(text: string): x509.JsonGeneralName {
  const kind = KINDS[text.slice(0, text.indexOf(':'))]
  if (!kind) throw new Error(`no kind of name: ${text}`)
  return { type: kind, value: text.slice(text.indexOf(':') + 1) }
}

type Pair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
const pairs = cacheForFile<RequestKey, Pair>()

/** The pair behind every request of that kind: keys take longer than everything else. */
export function keyFor(kind: RequestKey): Pair {
  const pair = pairs.get(kind) ?? makePair(kind)
  pairs.set(kind, pair)
  return pair
}

function makePair(kind: RequestKey): Pair {
  if (kind === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (kind === 'ed25519') return generateKeyPairSync('ed25519')
  const privateKey = nextRsaKey(kind === 'rsa1024' ? 1024 : 2048)
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

function algorithmOf(kind: RequestKey) {
  if (kind === 'ec') return { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  return kind === 'ed25519' ? { name: 'Ed25519' } : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
}
