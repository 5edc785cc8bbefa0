/**
 * Makes the certificates for a behaviour: what the stand-in sends, and what the pool must trust so that nothing but the
 * behaviour is wrong (RFC 5280, 6.1).
 */
import { X509Certificate } from 'node:crypto'
import { COMMON_NAME_LIMIT } from '../../base/names/host-name.js'
import { exportPrivateKey, issueCrl } from '../../x509/index.js'
import type { Behaviour, ChainTwist, LeafTwist } from './behaviour.js'
import {
  type KeyName,
  keyOf,
  type OddOrder,
  type Signatory,
  signOddCertificate,
  type Usage,
} from './odd-certificate.js'

interface CertificatesOrder {
  readonly behaviour: Behaviour
  /** What the pool connects to. */
  readonly hostname: string
  readonly address: string
  readonly now: Date
  readonly keyFolder: string
  /** The stand-in's root, if the pool holds it already. */
  readonly rootPem: string | undefined
}

export interface Pair {
  readonly certificatePem: string
  readonly privateKeyPem: string
}

export interface StandInCertificates {
  readonly served: Pair
  /** Not served yet, and without a defect. */
  readonly renewed: Pair
  /** To be installed in the pool, by name. */
  readonly certificates: Readonly<Record<string, string>>
  readonly crls: Readonly<Record<string, string>>
}

export const ROOT_NAME = 'openwlb-lab-fault-root.pem'
const SELF_SIGNED_NAME = 'openwlb-lab-fault-self-signed.pem'
const CRL_NAME = 'openwlb-lab-fault-crl.pem'

const DAY_MS = 86_400_000
const LEAF_USAGES: readonly Usage[] = ['digitalSignature', 'keyEncipherment']
const AUTHORITY_USAGES: readonly Usage[] = ['keyCertSign', 'cRLSign']

export async function makeCertificates(order: CertificatesOrder): Promise<StandInCertificates> {
  const { behaviour, now } = order
  const tools = toolsOf(order)
  const root = await tools.authority('OpenWLB lab fault root', 'root', undefined, days(now, -30, 3650), order.rootPem)
  const honest = await tools.chain(root, {}, {})
  const renewed = pairOf([honest.leaf, ...honest.between, root])
  const certificates = { [ROOT_NAME]: root.certificate.toString() }

  const { chain, leaf } = behaviour
  const own = chain.issuer === undefined ? undefined : INSTALLED_FOR[chain.issuer]
  if (own !== undefined) {
    const served = await tools.selfSigned(leaf, own === 'earlier' ? 'again' : 'itself')
    const installed = { none: undefined, served, earlier: await tools.selfSigned({}, 'earlier') }[own]
    return {
      served: pairOf([served]),
      renewed,
      certificates: { ...certificates, ...(installed && { [SELF_SIGNED_NAME]: installed.certificate.toString() }) },
      crls: {},
    }
  }

  const anchor = await tools.anchor(chain, root)
  const made = await tools.chain(anchor, chain, leaf)
  const crls: Record<string, string> = leaf.revoked ? { [CRL_NAME]: await revoke(made, anchor, now) } : {}
  return { served: pairOf(sendingOrder(made, anchor, chain)), renewed, certificates, crls }
}

interface Chain {
  readonly leaf: Signatory
  /** The leaf's issuer first. */
  readonly between: readonly Signatory[]
}

function sendingOrder({ leaf, between }: Chain, anchor: Signatory, chain: ChainTwist): Signatory[] {
  if (chain.sent === 'leaf-alone') return [leaf]
  if (chain.sent === 'root-in-the-middle') return [leaf, anchor, ...between]
  // with the root sent along, the error would be about the root and not about the signatures below it
  return chain.issuer === 'rekeyed' || chain.issuer === 'middlebox' ? [leaf, ...between] : [leaf, ...between, anchor]
}

function toolsOf({ hostname, address, now, keyFolder }: CertificatesOrder) {
  const key = (name: KeyName) => keyOf(keyFolder, name)

  const authority = async (
    commonName: string,
    keyName: KeyName,
    issuer: Signatory | undefined,
    dates: Dates,
    knownPem?: string,
    changes: Partial<OddOrder> = {},
  ): Promise<Signatory> => {
    const own = await key(keyName)
    if (knownPem !== undefined) return { certificate: new X509Certificate(knownPem), key: own }
    const order = { commonName, key: own, issuer, ...dates, isAuthority: true, usages: AUTHORITY_USAGES, ...changes }
    return { certificate: await signOddCertificate(order), key: own }
  }

  const anchor = async ({ issuer }: ChainTwist, root: Signatory): Promise<Signatory> => {
    const commonName = issuer === undefined ? undefined : OTHER_ROOTS[issuer]
    return commonName === undefined ? root : authority(commonName, 'other-root', undefined, days(now, -30, 3650))
  }

  const chain = async (top: Signatory, twist: ChainTwist, leaf: LeafTwist): Promise<Chain> => {
    const between: Signatory[] = []
    if (twist.issuer !== 'middlebox') {
      const dates = twist.dates === 'expired' ? days(now, -20, -1) : days(now, -20, 365)
      between.unshift(
        await authority(
          'OpenWLB lab fault issuing CA',
          twist.key === 'rsa-1024' ? 'weak-issuing' : 'issuing',
          top,
          dates,
          undefined,
          {
            pathLength: twist.depth === 'too-deep' ? 0 : undefined,
            usages: twist.usage === 'no-certificate-signing' ? ['cRLSign'] : AUTHORITY_USAGES,
            isAuthority: twist.authority !== 'none',
            permittedDomain: twist.names === 'other-domain' ? 'elsewhere.example' : undefined,
            namesIssuerKey: twist.issuer !== 'rekeyed',
          },
        ),
      )
    }
    if (twist.depth === 'too-deep') {
      const below = 'OpenWLB lab fault issuing CA below'
      between.unshift(await authority(below, 'below-issuing', between[0], days(now, -10, 365)))
    }
    return { leaf: await signLeaf(leaf, between[0] ?? top), between }
  }

  const signLeaf = async (twist: LeafTwist, issuer: Signatory | undefined): Promise<Signatory> => {
    const own = await key(twist.key === undefined ? 'leaf' : twist.key === 'ec' ? 'ec' : 'weak')
    const order = { key: own, issuer, ...leafFields(twist, hostname, address, now) }
    return { certificate: await signOddCertificate(order), key: own }
  }

  /** `again` is what a second set-up makes: the name of the `earlier` one with another key. */
  const selfSigned = async (twist: LeafTwist, which: 'itself' | 'again' | 'earlier'): Promise<Signatory> => {
    const own = which === 'earlier' ? await key('other-root') : await key('leaf')
    const fields = leafFields(twist, hostname, address, now)
    const commonName = which === 'itself' ? `${fields.commonName} alone` : fields.commonName
    return { certificate: await signOddCertificate({ ...fields, commonName, key: own, issuer: undefined }), key: own }
  }

  return { authority, anchor, chain, selfSigned }
}

const OTHER_ROOTS: Readonly<Partial<Record<NonNullable<ChainTwist['issuer']>, string>>> = {
  stranger: 'OpenWLB lab fault other root',
  rekeyed: 'OpenWLB lab fault root',
  middlebox: 'OpenWLB lab fault middlebox',
}

/** Which self-signed certificate the pool holds, where one is served. */
const INSTALLED_FOR: Readonly<Partial<Record<NonNullable<ChainTwist['issuer']>, 'none' | 'served' | 'earlier'>>> = {
  itself: 'none',
  'itself-again': 'earlier',
  'itself-installed': 'served',
}

type LeafFields = Omit<OddOrder, 'key' | 'issuer'>

function leafFields(twist: LeafTwist, hostname: string, address: string, now: Date): LeafFields {
  const dates =
    twist.dates === undefined ? days(now, -1, 300) : twist.dates === 'expired' ? days(now, -9, -1) : days(now, 2, 300)
  const [commonName, ...dnsNames] = leafNames(twist, hostname, address)
  const hasNames = dnsNames.length > 0
  return {
    commonName: commonName.slice(0, COMMON_NAME_LIMIT),
    ...dates,
    dnsNames,
    ipAddresses: hasNames && twist.names === undefined ? [address] : undefined,
    isAuthority: false,
    usages: twist.usage === 'certificate-signing' ? ['keyCertSign'] : LEAF_USAGES,
    purpose: twist.purpose === 'client' ? 'clientAuth' : 'serverAuth',
    digest: twist.digest ?? 'SHA-256',
  }
}

/** The common name, then the dNSNames. */
function leafNames(
  { names }: LeafTwist,
  hostname: string,
  address: string,
): [commonName: string, ...dnsNames: string[]] {
  const [, ...parent] = hostname.split('.')
  const sibling = (label: string) => [label, ...parent].join('.')
  switch (names) {
    case 'other-common-name':
      return [sibling('wlb-before')]
    case 'other-alternative-name':
      return [hostname, sibling('wlb-before')]
    case 'wildcard-too-high': {
      const wildcard = ['*', ...parent.slice(1)].join('.')
      return [wildcard, wildcard]
    }
    case 'other-machine':
      return [sibling('other-machine'), sibling('other-machine')]
    case 'address-as-name':
      return [hostname, hostname, address]
    case 'wildcard':
      return [hostname, hostname, sibling('*')]
    case undefined:
      return [hostname, hostname]
  }
}

/** The list is the leaf's issuer's: a pool checks no other. */
async function revoke({ leaf, between }: Chain, anchor: Signatory, now: Date): Promise<string> {
  const { certificate, key: privateKey } = between[0] ?? anchor
  const revoked = [
    { serialNumber: leaf.certificate.serialNumber, revokedAt: new Date(now.getTime() - DAY_MS), reason: 'superseded' },
  ] as const
  return (await issueCrl({ issuer: { certificate, privateKey }, revoked, number: 1, now, lifetimeDays: 30 })).pem
}

interface Dates {
  readonly notBefore: Date
  readonly notAfter: Date
}

function days(now: Date, from: number, to: number): Dates {
  const at = (count: number) => new Date(now.getTime() + count * DAY_MS)
  return { notBefore: at(from), notAfter: at(to) }
}

function pairOf(sent: readonly Signatory[]): Pair {
  const [leaf] = sent
  if (!leaf) throw new Error('a chain has a leaf')
  return {
    certificatePem: sent.map(({ certificate }) => certificate.toString()).join(''),
    privateKeyPem: exportPrivateKey(leaf.key),
  }
}
