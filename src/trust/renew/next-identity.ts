/** The next certificate to serve, and what hosts need to trust it: from files, from ACME, or a new self-signed one. */
import { X509Certificate } from 'node:crypto'
import { paths, readSettings } from '../../config/index.js'
import { obtainCertificate, planInstallation, planSelfSigned } from '../../identity/index.js'
import type { ServedIdentity } from '../../tls/index.js'
import { isSelfSigned, sendingOrder } from '../../x509/index.js'
import { fail } from '../errors.js'

export interface NextIdentity {
  readonly identity: ServedIdentity
  readonly how: 'install' | 'self-signed' | 'acme'
  /** In sending order, the leaf first. */
  readonly chain: readonly X509Certificate[]
  /** What an operator vouched for by giving it: hosts may be made to trust these. */
  readonly candidates: readonly X509Certificate[]
}

export interface NextRequest {
  readonly root: string
  /** Of an authority; none for a new self-signed certificate, or where an ACME authority is asked. */
  readonly files: readonly string[]
  readonly keyFile?: string | undefined
  readonly passphrase?: string | undefined
  /** What the pool connects to afterwards. */
  readonly name: string
  /** What it connects to now. */
  readonly currentName: string
  readonly now: Date
}

/**
 * @throws RENEW_NEEDS_FILES where the one in place is an authority's and no file is given; what `planInstallation` and
 * `planSelfSigned` throw.
 */
export async function makeNextIdentity(request: NextRequest, inPlace: X509Certificate): Promise<NextIdentity> {
  const { root, files, name, currentName, now, keyFile, passphrase } = request
  if (files.length > 0) {
    const plan = await planInstallation({
      root,
      files,
      name,
      now,
      keyFile,
      passphrase,
    })
    const chain = sendingOrder(plan.chain)
    return { identity: plan.identity, how: 'install', chain, candidates: [...chain, ...plan.chain.unrelated] }
  }
  const { acme } = await readSettings(paths(root).settings)
  if (acme && !isSelfSigned(inPlace)) {
    // what was issued and waits for the pool to trust its root, or else a new one
    const { plan } = await obtainCertificate({ root, settings: acme, now: () => now })
    const chain = sendingOrder(plan.chain)
    // ACME authorities change intermediates without notice, so hosts trust the root only
    const { root: anchor } = plan.chain
    return { identity: plan.identity, how: 'acme', chain, candidates: anchor ? [anchor] : chain }
  }
  if (!isSelfSigned(inPlace)) {
    const { subject, issuer } = inPlace
    throw fail('RENEW_NEEDS_FILES', { subject: subject.replaceAll('\n', ', '), issuer: issuer.replaceAll('\n', ', ') })
  }
  const plan = await planSelfSigned(root, { hostname: name, subjectAltName: [currentName] }, now)
  const identity = await plan.make()
  const leaf = new X509Certificate(identity.certificatePem)
  return { identity, how: 'self-signed', chain: [leaf], candidates: [leaf] }
}
