/** A certificate set while it is being made: a plain chain that nobody could object to, for twists to spoil. */
import { PLAIN_KEYS } from './key-pool.js'
import { commonName, type DistinguishedName } from './name-writer.js'
import { type CertificatePlan, type CrlPlan, inDays } from './plan.js'
import { createRandom, type Random } from './random.js'

export const NAME = 'wlb.example.lab'
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const USAGE = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const

export interface BundlePlan {
  trusted: CertificatePlan[]
  /** Purposes of TRUSTED CERTIFICATE blocks. */
  settings: Map<CertificatePlan, { readonly trust?: readonly string[]; readonly reject?: readonly string[] }>
  /** Changes the finished text. */
  rewrite: ((text: string) => string | undefined)[]
}

export interface Draft {
  readonly random: Random
  /** Leaf first, root last; a self-signed leaf is both. */
  chain: CertificatePlan[]
  /** What the server sends, leaf first. */
  sent: CertificatePlan[]
  bundle: BundlePlan
  crls: CrlPlan[]
  /** Certificates in the CRL folder. */
  filed: CertificatePlan[]
  /** Other files there. */
  otherFiles: Record<string, string>
  /** The name the host connects to. */
  name: string
  /** Seconds from now; undefined where the real clock is used. */
  clock?: number
  /** The next certificate's number, and the next unused key. */
  serial: number
  keysUsed: number
}

export const leafOf = (draft: Draft): CertificatePlan => {
  const [leaf] = draft.chain
  if (!leaf) throw new Error('a chain has a leaf')
  return leaf
}
export const authoritiesOf = (draft: Draft): CertificatePlan[] => draft.chain.slice(1)
export const rootOf = (draft: Draft): CertificatePlan => draft.chain.at(-1) ?? leafOf(draft)

/** A chain of 1 to 4 certificates, the root in the bundle, the rest sent, and harmless differences. */
export function draftSet(random: Random): Draft {
  const depth = random.pick([1, 2, 2, 3, 3, 3, 4])
  const draft = draftChain(random, depth, random.chance(0.6))
  const leaf = leafOf(draft)
  if (random.chance(0.5)) leaf.basicConstraints = { ca: false }
  if (random.chance(0.7)) leaf.keyUsage = [USAGE.digitalSignature, USAGE.keyEncipherment]
  if (random.chance(0.8)) leaf.extendedKeyUsage = { oids: [SERVER_AUTH] }
  if (random.chance(0.3)) draft.sent = [...draft.chain]
  if (random.chance(0.3)) draft.bundle.trusted.push(planStranger(draft))
  if (random.chance(0.3)) draft.bundle.trusted.reverse()
  return draft
}

/** The same without any chance in it. */
export function draftPlain(depth: number): Draft {
  return draftChain(createRandom(0, 0), depth, false)
}

function draftChain(random: Random, depth: number, withKeyIds: boolean): Draft {
  const draft: Draft = {
    random,
    chain: [],
    sent: [],
    bundle: { trusted: [], settings: new Map(), rewrite: [] },
    crls: [],
    filed: [],
    otherFiles: {},
    name: NAME,
    serial: 1000,
    keysUsed: random.below(PLAIN_KEYS.length),
  }
  const authorities: CertificatePlan[] = []
  for (let level = depth - 1; level > 0; level--) {
    const label = level === depth - 1 ? 'root' : `authority ${level}`
    authorities.unshift(planAuthority(draft, label, authorities[0], withKeyIds))
  }
  draft.chain = [planLeaf(draft, authorities[0], withKeyIds), ...authorities]
  draft.sent = depth === 1 ? [...draft.chain] : draft.chain.slice(0, -1)
  draft.bundle.trusted = [rootOf(draft)]
  return draft
}

export function nextKey(draft: Draft): string {
  return PLAIN_KEYS[draft.keysUsed++ % PLAIN_KEYS.length] ?? 'rsa2048-0'
}

export function planAuthority(
  draft: Draft,
  label: string,
  issuer: CertificatePlan | undefined,
  withKeyIds: boolean,
): CertificatePlan {
  return {
    ...planBase(draft, label, commonName(`Example ${label}`), issuer),
    notBefore: inDays(-100),
    notAfter: inDays(1000),
    basicConstraints: { ca: true, critical: true },
    keyUsage: [USAGE.keyCertSign, USAGE.cRLSign],
    ...(withKeyIds && { subjectKeyId: 'own', ...(issuer && { authorityKeyId: 'match' }) }),
  }
}

/** An authority that has nothing to do with the chain. */
export function planStranger(draft: Draft): CertificatePlan {
  return planAuthority(draft, `stranger ${draft.serial}`, undefined, draft.random.chance(0.5))
}

function planLeaf(draft: Draft, issuer: CertificatePlan | undefined, withKeyIds: boolean): CertificatePlan {
  return {
    ...planBase(draft, 'leaf', commonName(NAME), issuer),
    altNames: [{ kind: 'dns', text: NAME }],
    ...(withKeyIds && { subjectKeyId: 'own', ...(issuer && { authorityKeyId: 'match' }) }),
  }
}

function planBase(
  draft: Draft,
  label: string,
  subject: DistinguishedName,
  issuer: CertificatePlan | undefined,
): CertificatePlan {
  return {
    label,
    serial: draft.serial++,
    version: 3,
    subject,
    issuer,
    key: nextKey(draft),
    signature: { digest: 'sha256' },
    notBefore: inDays(-1),
    notAfter: inDays(30),
    subjectKeyId: 'none',
    authorityKeyId: 'none',
    raw: [],
  }
}

/** A CRL of the leaf's issuer, in order, unless something is said against it. */
export function planCrl(draft: Draft, issuer: CertificatePlan, more: Partial<CrlPlan> = {}): CrlPlan {
  return {
    label: `CRL of ${issuer.label}`,
    issuer,
    signature: { digest: 'sha256' },
    // no two of one age: which of two equals counts is an accident of sorting
    thisUpdate: { seconds: -90_000 - draft.serial++ * 10, form: 'utc' },
    nextUpdate: inDays(20),
    revoked: [],
    authorityKeyId: 'none',
    raw: [],
    entryRaw: [],
    file: 'pem',
    ...more,
  }
}

export const UNKNOWN_OID = '1.3.6.1.4.1.55555.9'
