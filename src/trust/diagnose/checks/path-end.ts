/** Findings about the end of the certificate path. */
import type { X509Certificate } from 'node:crypto'
import { quoteWord } from '../../../base/text/quote-word.js'
import { describeCertificate, isSelfSigned } from '../../../x509/index.js'
import { verifiesByPeer } from '../../../xapi/index.js'
import { type Installed, installedAs, isInstalled, type View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { errorOf, type Flaw, hostsOf, quoteHosts } from '../flaw.js'
import { copyOf, installRoot, installSelfSigned, installWithIssuer } from '../make-trusted.js'
import { daysBetween, listOf, shortPrint, subjectOf } from '../wording.js'

export function explainEnd(view: View, flaw: Flaw): readonly Draft[] {
  const { leaf, served } = view
  const hosts = hostsOf(view, flaw)
  const quoted = [quoteHosts(flaw), installedText(view)].filter(Boolean).join('; ')
  if (flaw.code === 'LEAF_WANTED') return [leafWanted(view, hosts, quoted)]
  if (flaw.code === 'ROOT_MISSING') return [rootMissing(view, hosts, quoted)]
  if (flaw.code === 'SIGNATURE_WRONG') return [inTheWay(view, rekeyed(view, hosts, quoted))]
  if (!leaf) return [{ code: 'ROOT_NOT_INSTALLED', hosts, evidence: quoted }]
  if (served.length === 1 && isSelfSigned(leaf)) return [selfSigned(view, leaf, hosts, quoted)]
  return [issued(view, leaf, hosts, quoted)]
}

/** As the procedure calls the file. */
const USUAL_NAME = 'wlb.pem'

function selfSigned(view: View, leaf: X509Certificate, hosts: readonly string[], quoted: string): Draft {
  const evidence = `served: ${subjectOf(leaf)}, ${shortPrint(leaf.fingerprint256)}; ${quoted}`
  const file = installedAs(view, leaf)
  if (file !== undefined) return cut(file, hosts, evidence)
  const before = findBefore(view, leaf)
  const taken = before ? undefined : view.installed.find(({ record }) => record.name === USUAL_NAME)
  if (taken) {
    return {
      code: 'FILE_NAME_TAKEN',
      hosts,
      cause: `The certificate of the appliance is not installed, and the name ${USUAL_NAME} is taken by another one.`,
      evidence: `${evidence}; ${USUAL_NAME} is ${shortPrint(taken.record.fingerprintSha256)}`,
      remedy: installSelfSigned(view),
    }
  }
  if (!before) {
    return {
      code: 'SELF_SIGNED_NOT_INSTALLED',
      hosts,
      cause: 'The appliance serves a self-signed certificate, and this very certificate is not installed in the pool.',
      evidence,
      remedy: installSelfSigned(view),
    }
  }
  const { record, why } = before
  return {
    code: 'SELF_SIGNED_REMADE',
    hosts,
    cause: `The appliance has made its self-signed certificate anew, and ${record.name}, which is installed, is the one before.`,
    evidence: `${evidence}; ${record.name} ${why}`,
    remedy: installSelfSigned(view, record.name),
  }
}

/** By its name, by the appliance's own memory, or by having been made to last exactly as long. */
function findBefore(view: View, leaf: X509Certificate): { record: Installed['record']; why: string } | undefined {
  const former = view.evidence.local?.formerSha256 ?? []
  const lifetime = lifetimeMs(new Date(leaf.validFrom), new Date(leaf.validTo))
  for (const { record, certificate } of view.installed) {
    if (certificate && certificate.subject === leaf.subject) return { record, why: 'has the same name' }
    if (former.includes(record.fingerprintSha256)) return { record, why: 'was served by this appliance before' }
    const { notBefore, notAfter } = record
    if (certificate || !notBefore || !notAfter || notBefore > new Date(leaf.validFrom)) continue
    if (lifetimeMs(notBefore, notAfter) === lifetime)
      return { record, why: `was made to last for exactly as long (${daysBetween(notBefore, notAfter)} days)` }
  }
  return undefined
}

function lifetimeMs(from: Date, to: Date): number {
  return to.getTime() - from.getTime()
}

function issued(view: View, leaf: X509Certificate, hosts: readonly string[], quoted: string): Draft {
  const { served } = view
  const root = served.find((one) => one !== leaf && isSelfSigned(one))
  const top = root ?? topOf(served, leaf)
  const evidence = `served: ${served.map(subjectOf).join(' > ')}; ${quoted}`
  const file = (root && installedAs(view, root)) ?? issuerInstalled(view, top)
  if (file !== undefined) return cut(file, hosts, evidence)
  const leafFile = installedAs(view, leaf)
  if (leafFile !== undefined) {
    return {
      code: 'LEAF_INSTALLED',
      hosts,
      cause: `${leafFile} is the appliance's own certificate: installed is the leaf, and the root that issued it is not.`,
      evidence,
      ...rootRemedy(view),
    }
  }
  const issuer = describeCertificate(top).issuer
  const other = root && view.installed.find(({ certificate }) => certificate?.subject === root.subject)
  if (other) return rekeyed(view, hosts, quoted)
  if (!root && served.length === 1 && lacksIntermediate(view, leaf)) {
    return {
      code: 'INTERMEDIATE_NOT_SENT',
      hosts,
      cause: `The server sends its own certificate alone, and the one of its issuer, ${issuer}, is neither sent nor installed.`,
      evidence: `${evidence}; the bytes of what is installed are not known here, so it may be the root that is missing`,
      remedy: installWithIssuer(view, leaf),
    }
  }
  return {
    code: 'ROOT_NOT_INSTALLED',
    hosts,
    cause: `The chain of the appliance ends at ${root ? subjectOf(root) : issuer}, and that root is not installed in the pool.`,
    evidence: root ? `${evidence}; its fingerprint is ${shortPrint(root.fingerprint256)}` : evidence,
    ...rootRemedy(view),
  }
}

function topOf(served: readonly X509Certificate[], leaf: X509Certificate): X509Certificate {
  let top = leaf
  for (let steps = 0; steps < served.length; steps++) {
    const next = served.find((one) => one !== top && one.subject === top.issuer)
    if (!next) return top
    top = next
  }
  return top
}

function issuerInstalled(view: View, top: X509Certificate): string | undefined {
  const found = view.installed.find(
    ({ certificate }) => certificate && top.checkIssued(certificate) && top.verify(certificate.publicKey),
  )
  return found?.record.name
}

/** Something is installed that may well be the root; or the issuer is known, and is none. */
function lacksIntermediate(view: View, leaf: X509Certificate): boolean {
  const issuer = [...view.evidence.known.values()].find((one) => one.subject === leaf.issuer)
  return issuer ? !isSelfSigned(issuer) : view.unknownAnchors > 0
}

function cut(file: string, hosts: readonly string[], evidence: string): Draft {
  return {
    code: 'BUNDLE_CUT',
    hosts,
    cause: `${file} is installed and would do, and the hosts do not trust it: something broken in the bundle makes all of it useless.`,
    evidence: `${evidence}; ${file} is the certificate they need`,
  }
}

/** By its version: such a host has said something else first, or nothing at all. */
export function findLeafWanted(view: View, found: readonly Draft[]): readonly Draft[] {
  const { coordinator, leaf, anyAnchored, verifies, results, installed } = view
  if (!coordinator || !leaf || installed.length === 0 || !verifiesByPeer(coordinator) || isSelfSigned(leaf)) return []
  const hasVerified = results.some(({ outcome }) => outcome === 'accepted') && verifies
  if (hasVerified || isInstalled(view, leaf) || found.some(({ code }) => ENDED_ELSEWHERE.has(code))) return []
  const severity = verifies ? ('error' as const) : ('warning' as const)
  const draft = leafWanted(view, [], installedText(view))
  return anyAnchored || !verifies ? [{ severity, error: errorOf('LEAF_WANTED'), ...draft }] : []
}

/** The path is not in order, whatever the version. */
const ENDED_ELSEWHERE = new Set(['LEAF_WANTED', 'ROOT_NOT_INSTALLED', 'INTERMEDIATE_NOT_SENT', 'LEAF_INSTALLED'])

function leafWanted({ coordinator: host, name }: View, hosts: readonly string[], quoted: string): Draft {
  const { xapi_build, xapi } = host?.softwareVersion ?? {}
  const isOld = host !== undefined && verifiesByPeer(host)
  const version = `xapi ${xapi_build ?? xapi ?? 'of unknown version'}${isOld ? ', of before December 2024' : ''}`
  return {
    code: 'LEAF_WANTED',
    hosts,
    cause:
      'These hosts look for the certificate of the appliance itself among those installed; its root alone does not help them.',
    evidence: `${quoted}; ${version}`,
    remedy: `${copyOf(name, 'server.pem')}; openssl x509 -in server.pem -out wlb-leaf.pem; xe pool-install-ca-certificate filename=wlb-leaf.pem; xe pool-certificate-sync`,
  }
}

function rootMissing(view: View, hosts: readonly string[], quoted: string): Draft {
  const between = view.installed.filter(({ certificate }) => certificate && !isSelfSigned(certificate))
  const files = between.map(({ record }) => record.name)
  return {
    code: 'ROOT_OF_INTERMEDIATE_MISSING',
    hosts,
    cause: `An intermediate is installed${files.length === 0 ? '' : ` (${listOf(files)})`}, and the root above it is not: the path must end in a self-signed certificate.`,
    evidence: quoted,
    ...rootRemedy(view),
  }
}

function rootRemedy(view: View): Pick<Draft, 'remedy'> {
  const remedy = installRoot(view)
  return remedy === undefined ? {} : { remedy }
}

function rekeyed(view: View, hosts: readonly string[], quoted: string): Draft {
  const file = sameName(view)?.record.name
  return {
    code: 'ROOT_REKEYED',
    hosts,
    cause:
      'A root of the right name and of another key is installed: the authority has renewed it, or it is another authority.',
    evidence: `${quoted}${file === undefined ? '' : `; ${file} has the name and not the key`}`,
    ...rootRemedy(view),
  }
}

/** Installed, known here, and of a name in the chain without being the certificate of that name. */
function sameName({ installed, served }: View): Installed | undefined {
  const names = new Set(served.flatMap(({ subject, issuer }) => [subject, issuer]))
  return installed.find(
    ({ certificate, record }) =>
      certificate &&
      names.has(certificate.subject) &&
      !served.some((one) => one.fingerprint256 === record.fingerprintSha256),
  )
}

/**
 * A signature was tried with the key of the old root, so nothing in the chain says which key it needs: OpenSSL would take the old root
 * also with the new one beside it. The old one goes first. Which it is, is known, or left over, or has to be looked up on a host.
 */
function inTheWay(view: View, draft: Draft): Draft {
  const unknown = view.installed.filter(({ certificate }) => !certificate)
  const [leftOver] = unknown.length === 1 ? unknown : []
  const old = sameName(view) ?? leftOver
  const cause = `${draft.cause} As long as it is installed, a new one beside it is not looked at: remove it, then ask again.`
  if (old) {
    const name = quoteWord(old.record.name)
    return { ...draft, cause, remedy: `xe pool-uninstall-ca-certificate name=${name}; xe pool-certificate-sync` }
  }
  const look = 'for file in /etc/stunnel/certs/*.pem; do echo "$file"; openssl x509 -in "$file" -noout -subject; done'
  return { ...draft, cause, remedy: `${look}   # the root of that name: xe pool-uninstall-ca-certificate name=FILE` }
}

function installedText(view: View): string {
  const { pool, installed } = view
  if (!pool) return ''
  const names = installed.map(({ record }) => record.name)
  return `installed: ${names.length > 8 ? `${names.length} certificates` : listOf(names) || 'nothing'}`
}
