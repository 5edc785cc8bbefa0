/** Random certificate sets: what a server might send and what a host might trust, with nothing to ten things wrong. */
import { X509Certificate } from 'node:crypto'
import { encodePem } from '../../src/x509/index.js'
import { createWriter, type Writer } from './certificate-writer.js'
import { objectIdentifier, sequence, wrapped } from './der-writer.js'
import { type Draft, draftSet, leafOf } from './draft.js'
import type { JudgedSet } from './judge.js'
import type { KeyPool } from './key-pool.js'
import type { CrlPlan } from './plan.js'
import { createRandom, type Random } from './random.js'
import type { Twist } from './twist.js'
import { BUNDLE_TWISTS } from './twists-bundle.js'
import { CONSTRAINT_TWISTS } from './twists-constraints.js'
import { NAME_TWISTS } from './twists-names.js'
import { PATH_TWISTS } from './twists-path.js'
import { REVOCATION_TWISTS } from './twists-revocation.js'
import { KEY_TWISTS, SIGNATURE_TWISTS, TIME_TWISTS } from './twists-time.js'
import { EXTENSION_TWISTS, USAGE_TWISTS } from './twists-usage.js'

export interface CertificateSet extends FinishedSet {
  readonly seed: number
  readonly index: number
  /** The twists, in the order they were applied. */
  readonly twists: readonly string[]
}

export interface FinishedSet extends JudgedSet {
  /** Neither stunnel nor a pool takes another kind. */
  readonly leafIsRsa: boolean
  /** Whole blocks one after another, and one of them at least a CERTIFICATE: no bundle stunnel reads as it likes. */
  readonly bundleIsPlain: boolean
  /** Each file holds one CRL in PEM. */
  readonly crlFilesArePlain: boolean
}

/** Equally likely groups, so that no subject is drowned by another's many cases. */
const GROUPS: readonly (readonly Twist[])[] = [
  TIME_TWISTS,
  KEY_TWISTS,
  SIGNATURE_TWISTS,
  USAGE_TWISTS,
  EXTENSION_TWISTS,
  NAME_TWISTS,
  CONSTRAINT_TWISTS,
  PATH_TWISTS,
  PATH_TWISTS,
  REVOCATION_TWISTS,
  REVOCATION_TWISTS,
  BUNDLE_TWISTS,
]

/**
 * Makes set number `index` of a seed; undefined where a certificate cannot even be parsed. `always` names a twist that
 * every set gets, among others.
 */
export function makeSet(
  seed: number,
  index: number,
  keys: KeyPool,
  now: Date,
  always?: string,
): CertificateSet | undefined {
  const random = createRandom(seed, index)
  const draft = draftSet(random)
  const twists = applyTwists(draft, random.pick([0, 1, 1, 1, 1, 2, 2, 2, 3, 4]), always)
  const finished = finishSet(draft, keys, now)
  return finished && { seed, index, twists, ...finished }
}

/** Writes the certificates, the bundle and the CRLs. */
export function finishSet(draft: Draft, keys: KeyPool, now: Date): FinishedSet | undefined {
  const writer = createWriter(keys, now)
  const leaf = leafOf(draft)
  const key = keys(leaf.key)
  const sent = draft.sent.map((plan) => parse(writer.certificate(plan)))
  if (!sent.every((certificate) => certificate !== undefined)) return undefined
  const bundle = writeBundle(draft, writer)
  return {
    sent,
    leafKeyPem: key.privateKeyPem,
    leafIsRsa: key.kind === 'rsa',
    bundle: bundle === undefined ? undefined : Buffer.from(bundle),
    bundleIsPlain:
      draft.bundle.rewrite.length === 0 && draft.bundle.trusted.some((plan) => !draft.bundle.settings.has(plan)),
    crlFiles: { ...writeCrlFiles(draft, writer), ...draft.otherFiles },
    crlFilesArePlain:
      draft.crls.every(({ file }) => file === 'pem') &&
      draft.filed.length === 0 &&
      Object.keys(draft.otherFiles).length === 0,
    name: draft.name,
    clock: draft.clock === undefined ? undefined : new Date(Math.trunc(now.getTime() / 1000 + draft.clock) * 1000),
  }
}

function applyTwists(draft: Draft, count: number, always: string | undefined): string[] {
  const applied: string[] = []
  for (const [, what, apply] of GROUPS.flat()) {
    if (what === always && !applied.includes(what) && apply(draft)) applied.push(what)
  }
  for (let tries = 0; applied.length < count && tries < 40; tries++) {
    const [, what, apply] = pickWeighted(draft.random, draft.random.pick(GROUPS))
    if (apply(draft)) applied.push(what)
  }
  return applied
}

function pickWeighted(random: Random, twists: readonly Twist[]): Twist {
  const total = twists.reduce((sum, [weight]) => sum + weight, 0)
  let left = (random.below(1_000_000) / 1_000_000) * total
  for (const twist of twists) {
    left -= twist[0]
    if (left < 0) return twist
  }
  return random.pick(twists)
}

function parse(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}

function writeBundle(draft: Draft, writer: Writer): string | undefined {
  const { bundle } = draft
  let text: string | undefined = bundle.trusted
    .map((plan) => {
      const settings = bundle.settings.get(plan)
      const der = writer.certificate(plan)
      if (!settings) return encodePem('CERTIFICATE', der)
      const trust = settings.trust ? [sequence(...settings.trust.map(objectIdentifier))] : []
      const reject = settings.reject ? [wrapped(0, ...settings.reject.map(objectIdentifier))] : []
      return encodePem('TRUSTED CERTIFICATE', Buffer.concat([der, sequence(...trust, ...reject)]))
    })
    .join('')
  for (const plan of draft.crls.filter(({ file }) => file === 'in the bundle')) text += writeCrlFile(plan, writer)
  for (const rewrite of bundle.rewrite) text = text === undefined ? undefined : rewrite(text)
  return text
}

function writeCrlFiles(draft: Draft, writer: Writer): Record<string, string | Buffer> {
  const files: Record<string, string | Buffer> = {}
  for (const [index, plan] of draft.crls.entries()) {
    if (plan.file !== 'in the bundle') files[`${index}.pem`] = writeCrlFile(plan, writer)
  }
  for (const [index, plan] of draft.filed.entries())
    files[`c${index}.pem`] = encodePem('CERTIFICATE', writer.certificate(plan))
  return files
}

function writeCrlFile(plan: CrlPlan, writer: Writer): string | Buffer {
  const der = writer.crl(plan)
  const pem = encodePem('X509 CRL', der)
  switch (plan.file) {
    case 'pem':
    case 'in the bundle':
      return pem
    case 'der':
      return der
    case 'junk before':
      return `junk\n${pem}`
    case 'byte order mark':
      return `\uFEFF${pem}`
    case 'blank line':
      return pem.replace(/(\n.{64}\n)/, '$1\n')
    case 'CRLF':
      return pem.replaceAll('\n', '\r\n')
  }
}
