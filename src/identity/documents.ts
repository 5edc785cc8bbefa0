/** The `--json` documents of `wlb cert`. Field names are a contract with scripts. */
import type { X509Certificate } from 'node:crypto'
import type { AcmeSettings } from '../config/index.js'
import { describeCertificate, sendingOrder } from '../x509/index.js'
import type { Anchor } from './acme/anchor.js'
import type { Obtained } from './acme/obtain.js'
import type { InstallPlan } from './install/install-plan.js'
import type { KeptIdentity } from './store/kept-identities.js'
import type { Replacement } from './store/replace-identity.js'

/** `wlb cert install`; without `done`, of its plan. */
export function installationDocument(plan: InstallPlan, done: Replacement | undefined) {
  const { chain, verdict, key } = plan
  const subjectOf = (certificate: X509Certificate) => describeCertificate(certificate).subject
  return {
    state: done?.installed.state ?? (plan.isInPlace ? 'already so' : 'planned'),
    name: plan.name,
    identity: describeCertificate(chain.leaf),
    chain: sendingOrder(chain).map(describeCertificate),
    missingIssuer: chain.missingIssuer ?? null,
    unrelated: chain.unrelated.map(subjectOf),
    borrowed: plan.borrowed.map(subjectOf),
    key: { source: key.source, file: key.file },
    verdict: { accepted: verdict.accepted, reason: verdict.reason },
    warnings: plan.warnings.map(({ code, certificate, message, remedy }) => ({
      code,
      certificate: subjectOf(certificate),
      message,
      remedy,
    })),
    notes: plan.notes,
    addressesNotNamed: plan.addressesNotNamed,
    steps: plan.steps.map(({ id, what, command }) => ({ id, what, command, state: done ? 'done' : 'planned' })),
    ...(done && { id: done.installed.id, activation: done.activation }),
  }
}

/** `wlb cert acme`. */
export function acmeDocument(
  settings: AcmeSettings,
  { plan, origin, anchor, anchorBefore, isAnchorKept }: Obtained,
  done: Replacement,
): object {
  const describe = (one: Anchor) => ({
    name: one.name,
    fingerprintSha256: one.root?.fingerprint256 ?? null,
    publishedAt: one.publishedAt ?? null,
  })
  return {
    ...installationDocument(plan, done),
    acme: settings,
    origin,
    anchor: describe(anchor),
    anchorBefore: anchorBefore ? describe(anchorBefore) : null,
    anchorKept: isAnchorKept,
  }
}

/** `wlb cert rollback`, and part of `wlb cert self-signed`. */
export function replacementDocument({ installed, activation }: Replacement) {
  return { state: installed.state, id: installed.id, replaced: installed.replaced?.id ?? null, activation }
}

/** `wlb cert history`. */
export function historyDocument(kept: readonly KeptIdentity[]) {
  return { identities: kept.map(keptDocument) }
}

function keptDocument({ sequence: _, isInPlace, isOriginal, replacedAt, ...rest }: KeptIdentity) {
  return { ...rest, replacedAt: isInPlace ? null : replacedAt, inPlace: isInPlace, original: isOriginal }
}

/** `wlb cert export`: one of PEM and DER is null. */
export function exportDocument(
  certificates: readonly X509Certificate[],
  content: string | Buffer,
  file: string | undefined,
) {
  const isPem = typeof content === 'string'
  return {
    certificates: certificates.map(describeCertificate),
    out: file ?? null,
    pem: isPem ? content : null,
    derBase64: isPem ? null : content.toString('base64'),
  }
}
