/**
 * Bundle and revocation folder of a host, which OpenSSL keeps in one store: a list inside the bundle counts as soon as the
 * folder has an entry, and a certificate in the folder is trusted like one of the bundle (measured with stunnel 5.68).
 */
import { type Bundle, loadBundle } from './bundle.js'
import { readFacts } from './certificate-facts.js'
import type { Question, TrustAnchor } from './verdict.js'

export type HostStore =
  | Extract<Bundle, { readonly state: 'unusable' }>
  | ({ readonly state: 'loaded' } & Pick<Question, 'anchors' | 'crls'>)

/** `folder` holds the contents of the files that are linked by their hash; undefined where the folder is empty. */
export function loadHostStore(bytes: Buffer | undefined, folder: Question['crls']): HostStore {
  const bundle = loadBundle(bytes)
  if (bundle.state === 'unusable') return bundle
  if (!bytes || !folder) return { ...bundle, crls: undefined }
  const known = new Set(bundle.anchors.map(subjectOf))
  // the folder is asked only for a name the bundle does not have
  const more = folder.flatMap(readAnchors).filter((anchor) => !known.has(subjectOf(anchor)))
  return { state: 'loaded', anchors: [...bundle.anchors, ...more], crls: [...folder, bytes] }
}

function readAnchors(file: string | Buffer): readonly TrustAnchor[] {
  const read = loadBundle(Buffer.from(file))
  return read.state === 'loaded' ? read.anchors : []
}

function subjectOf({ certificate }: TrustAnchor): string {
  return readFacts(certificate).subjectKey
}
