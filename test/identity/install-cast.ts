/** Certificates an authority may send, by short names, and a folder in which an appliance is given them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WlbError } from '../../src/base/error.js'
import { type AppliancePaths, paths } from '../../src/config/index.js'
import { type InstallPlan, planInstallation } from '../../src/identity/index.js'
import { sendingOrder } from '../../src/x509/index.js'
import { cacheForFile } from '../file-cache.js'
import { HOSTNAME, setUpForTests } from '../server/test-appliance.js'
import {
  type CertificateSpec,
  daysFromNow,
  type Issued,
  issue,
  issueAuthority,
  TEST_NOW,
} from '../x509/test-authority.js'

type Name = keyof typeof CAST

/** A leaf nobody could find fault with, unless told otherwise. `key` is the one every good leaf is for. */
const leaf = (issuer: Name | undefined, spec: Partial<CertificateSpec> = {}) =>
  issueFor(issuer, (by) =>
    issue({
      subject: HOSTNAME,
      dnsNames: [HOSTNAME],
      keyLabel: 'key',
      ca: false,
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsage: ['serverAuth'],
      notBefore: daysFromNow(-10),
      notAfter: daysFromNow(90),
      ...by,
      ...spec,
    }),
  )
const authority = (subject: string, issuer?: Name, spec: Partial<CertificateSpec> = {}) =>
  issueFor(issuer, (by) => issueAuthority({ subject, ...by, ...spec }))

async function issueFor(issuer: Name | undefined, make: (by: { issuer?: Issued }) => Promise<Issued>) {
  return make(issuer === undefined ? {} : { issuer: await cast(issuer) })
}

/** `-x` is how it differs from the good one of its name. */
const CAST = {
  root: () => authority('Root'),
  mid: () => authority('Mid', 'root'),
  low: () => authority('Low', 'mid'),
  other: () => authority('Other'),
  leaf: () => leaf('mid'),
  'leaf-low': () => leaf('low'),
  'leaf-root': () => leaf('root'),
  'leaf-new': () => leaf('mid', { notBefore: daysFromNow(-2), notAfter: daysFromNow(120) }),
  'leaf-expired': () => leaf('mid', { notAfter: daysFromNow(-1) }),
  'leaf-future': () => leaf('mid', { notBefore: daysFromNow(1) }),
  'leaf-key2': () => leaf('mid', { keyLabel: 'key2' }),
  'leaf-CN': () => leaf('mid', { dnsNames: [] }),
  'leaf-other-CN': () => leaf('mid', { subject: 'other.example.com', dnsNames: [] }),
  'leaf-other-SAN': () => leaf('mid', { dnsNames: ['other.example.com'] }),
  'leaf-IP': () => leaf('mid', { ipAddresses: ['127.0.0.1'] }),
  'leaf-IP-CN': () => leaf('mid', { subject: '127.0.0.1', dnsNames: [] }),
  'leaf-IP-DNS': () => leaf('mid', { dnsNames: [HOSTNAME, '127.0.0.1'] }),
  'leaf-wildcard': () => leaf('mid', { subject: '*.lab.internal', dnsNames: ['*.lab.internal'] }),
  'leaf-wide': () => leaf('mid', { subject: '*.internal', dnsNames: ['*.internal'] }),
  'leaf-1024': () => leaf('mid', { keyKind: 'rsa1024', keyLabel: '1024' }),
  'leaf-SHA1': () => leaf('mid', { digest: 'SHA-1' }),
  'leaf-EC': () => leaf('mid', { keyKind: 'ec', keyLabel: 'ec' }),
  'leaf-client': () => leaf('mid', { extendedKeyUsage: ['clientAuth'] }),
  'leaf-signing': () => leaf('mid', { keyUsage: ['keyCertSign'] }),
  'leaf-self': () => leaf(undefined),
  'leaf-self-CA': () => leaf(undefined, { ca: true, keyUsage: ['keyCertSign', 'digitalSignature'] }),
  'mid-expired': () => authority('Mid', 'root', { notAfter: daysFromNow(-1) }),
  'mid-renewed': () => authority('Mid', 'root', { keyLabel: 'mid-renewed' }),
  'root-expired': () => authority('Root', undefined, { notAfter: daysFromNow(-1) }),
  'root-rekeyed': () => authority('Root', undefined, { keyLabel: 'root-rekeyed' }),
  'root-1024': () => authority('Weak', undefined, { keyKind: 'rsa1024' }),
  'leaf-root-1024': () => leaf('root-1024'),
  'root-SHA1': () => authority('Root', undefined, { digest: 'SHA-1' }),
  'mid-SHA1': () => authority('Mid', 'root', { digest: 'SHA-1' }),
  'mid-no-sign': () => authority('Mid', 'root', { keyUsage: ['cRLSign'] }),
  'mid-no-CA': () => authority('Mid', 'root', { ca: false }),
  'root-short': () => authority('Short', undefined, { pathLength: 0 }),
  'mid-short': () => authority('Mid below Short', 'root-short'),
  'leaf-short': () => leaf('mid-short'),
  'root-elsewhere': () => authority('Elsewhere', undefined, { permittedDomain: 'example.com' }),
  'leaf-elsewhere': () => leaf('root-elsewhere'),
  'mid-by-other': () => authority('Mid', 'other'),
}

const issued = cacheForFile<string, Promise<Issued>>()

/** The one of that name; made when it is first asked for. */
export function cast(name: Name): Promise<Issued> {
  const known = issued.get(name) ?? CAST[name]()
  issued.set(name, known)
  return known
}

export function isCast(name: string): name is Name {
  return name in CAST
}

export interface InstallFolder {
  /** Where the files are written; the appliance is below it. */
  readonly folder: string
  readonly root: string
  readonly place: AppliancePaths
  write(name: string, content: string | Buffer): string
  remove(): void
}

export async function openInstallFolder(): Promise<InstallFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-install-'))
  const root = join(folder, 'root')
  await setUpForTests(root)
  const write = (name: string, content: string | Buffer) => {
    const file = join(folder, name)
    writeFileSync(file, content, { mode: 0o600 })
    return file
  }
  return { folder, root, place: paths(root), write, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** One PEM file of certificates, and of the key of one where its name stands behind `key:`. */
export async function pemOf(names: string): Promise<string> {
  let pem = ''
  for (const name of names.split('+')) {
    const [what = '', of = what] = name.split(':')
    if (!isCast(of)) throw new Error(`no part is called ${of}`)
    const { certificatePem, privateKeyPem } = await cast(of)
    pem += what === 'key' ? privateKeyPem : certificatePem
  }
  return pem
}

type Options = Omit<Parameters<typeof planInstallation>[0], 'root' | 'files' | 'now'> & { readonly now?: Date }

/** What a plan comes to, in the words of the cast: or the error's code and what the pool would say. */
export async function tryToPlan(
  root: string,
  files: readonly string[],
  { now = TEST_NOW, ...options }: Options = {},
): Promise<{ readonly outcome: string; readonly error?: WlbError; readonly plan?: InstallPlan }> {
  try {
    const plan = await planInstallation({ root, files, now, ...options })
    return { plan, outcome: await describeOutcome(plan) }
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    const said = String(error.facts.poolWouldSay ?? '').replace(/^SSL_VERIFY_ERROR (Pre-verification error: )?/, '')
    return { error, outcome: `${error.code}${said && `: ${said}`}` }
  }
}

async function describeOutcome({ chain, key, borrowed, warnings, isInPlace }: InstallPlan): Promise<string> {
  const words = (certificates: readonly { readonly raw: Buffer }[]) =>
    Promise.all(certificates.map(({ raw }) => nameOf(raw))).then((names) => names.join(' '))
  const parts = [
    ['', await words(sendingOrder(chain))],
    ['; key ', key.source],
    ['; root not given: ', chain.missingIssuer ?? ''],
    ['; borrowed: ', await words(borrowed)],
    ['; left out: ', await words(chain.unrelated)],
    ['; warns: ', warnings.map(({ code }) => code).join(' ')],
    ['; ', isInPlace ? 'already so' : ''],
  ]
  return parts.map(([label, text]) => (text ? `${label}${text}` : '')).join('')
}

async function nameOf(raw: Buffer): Promise<string> {
  for (const [name, one] of issued) if ((await one).certificate.raw.equals(raw)) return name
  return 'the one of the set-up'
}
