/**
 * Evidence made of words: what an appliance serves, what a pool of three hosts has installed and believes, and what the
 * hosts then say, which is what path validation says with all they hold. The diagnosis is told less: fingerprints.
 */
import type { X509Certificate } from 'node:crypto'
import { readHostAddress } from '../../src/base/names/host-address.js'
import type { EndpointFacts } from '../../src/tls/index.js'
import { checkAsPool } from '../../src/tls/index.js'
import type { HostProof } from '../../src/trust/connection/connection.js'
import type { StoreOnDisk, StoresSeen } from '../../src/trust/connection/disks.js'
import type { Evidence, LocalFacts } from '../../src/trust/index.js'
import { cacheForFile } from '../file-cache.js'
import {
  type CertificateSpec,
  daysFromNow,
  type Issued,
  issue,
  issueAuthority,
  issueCrl,
  TEST_NOW,
} from '../x509/test-authority.js'
import { makeStore } from './evidence-store.js'
import { HOSTS, type HostName, NAME, newScene, type Scene, WORDS } from './evidence-words.js'

const PORT = 8012

/** Words separated by `; `. */
export async function evidenceOf(words: string): Promise<Evidence> {
  const scene = newScene()
  for (const word of words.split('; ')) {
    const change = WORDS[word]
    if (!change) throw new Error(`no such word: ${word}`)
    change(scene)
  }
  return play(scene, await make(scene), TEST_NOW)
}

/** The same with certificates that are kept in files, at a time that stands still. */
export async function fixedEvidence(
  words: string,
  { name, now, certificates }: { name: string; now: Date; certificates: Readonly<Record<string, X509Certificate>> },
): Promise<Evidence> {
  const scene = { ...newScene(), name }
  for (const word of words.split('; ')) WORDS[word]?.(scene)
  const made = Object.entries(certificates).map(([key, certificate]): [string, Shown] => [key, { certificate }])
  return play(scene, Object.fromEntries(made), now)
}

type Shown = Pick<Issued, 'certificate'>
type Made<One = Issued> = Readonly<Record<string, One>>
const LATER = { notBefore: daysFromNow(-3), notAfter: daysFromNow(400) }

/** Signing takes longest, and most scenes have most certificates in common. */
const issued = cacheForFile<string, Promise<Issued>>()

function once(make: (spec: CertificateSpec) => Promise<Issued>, spec: CertificateSpec): Promise<Issued> {
  const { issuer, ...fields } = spec
  const key = JSON.stringify([make.name, fields, issuer?.certificate.fingerprint256])
  const known = issued.get(key) ?? make(spec)
  issued.set(key, known)
  return known
}

async function make({ pki, selfSigned }: Scene): Promise<Made> {
  const root = await once(issueAuthority, { subject: 'Root', keyLabel: 'root', ...pki.root })
  const mid = await once(issueAuthority, { subject: 'Issuing', issuer: root, keyLabel: 'mid', ...pki.mid })
  const leaf = await once(issue, {
    subject: NAME,
    keyLabel: 'leaf',
    ...LATER,
    ...pki.leaf,
    ...(!selfSigned && { issuer: mid }),
  })
  const rekeyed = await once(issueAuthority, { subject: 'Root', keyLabel: 'other' })
  const other = await once(issueAuthority, { subject: 'Other root', keyLabel: 'other' })
  const before = await once(issue, {
    subject: NAME,
    keyLabel: 'other',
    notBefore: daysFromNow(-13),
    notAfter: daysFromNow(390),
  })
  const stale = await once(issueAuthority, {
    subject: 'Stale',
    keyLabel: 'other',
    notBefore: daysFromNow(-90),
    notAfter: daysFromNow(-30),
  })
  return { root, mid, leaf, rekeyed, other, before, stale, 'root.crt': root, 'wlb.pem': other, 'root.pem': other }
}

const wordsOf = (text: string) => text.split(' ').filter(Boolean)

async function play(scene: Scene, made: Made<Shown>, now: Date): Promise<Evidence> {
  const pick = (text: string) => wordsOf(text).flatMap((word) => made[word]?.certificate ?? [])
  const served = pick(scene.sent)
  const endpoint: EndpointFacts = scene.endpoint ?? {
    state: 'agreed',
    certificates: served,
    cipher: 'ECDHE-RSA-AES256-GCM-SHA384',
    curve: 'secp384r1',
    clientCertificate: scene.demanded ? 'demanded' : 'not asked',
  }
  const crl = scene.crl === 'none' ? undefined : await crlOf(scene, await make(scene))
  const storeOf = (host: HostName) => makeStore(scene, host, (word) => made[word]?.certificate, { crl, now })
  const proofs = HOSTS.map((host) => proofOf(scene, host, served, storeOf(host), crl, now))
  const names = wordsOf(scene.installed)
  const shown = 'certificates' in endpoint ? endpoint.certificates : []
  const known = [...shown, ...pick(scene.known)]
  const [coordinator] = proofs
  const own = coordinator?.kind === 'refused' ? coordinator.error : undefined
  return {
    appliance: {
      host: readHostAddress(scene.name, 'the appliance'),
      port: PORT,
      name: scene.name,
      endpoint,
      resolved: scene.resolved,
      clockOffsetMs: scene.clocks.appliance ?? 0,
      local: undefined,
    },
    pool: scene.noPool
      ? undefined
      : {
          uuid: '11111111-2222-4333-8444-555555555555',
          ref: 'OpaqueRef:pool',
          name: 'lab',
          wlbUrl: scene.connected ? `${scene.name}:${PORT}` : '',
          wlbUserName: 'wlbuser',
          wlbEnabled: scene.enabled,
          verifies: scene.verifies,
          tlsVerification: scene.tlsVerification,
          licensed: scene.licensed,
          otherConfig: {},
        },
    hosts: scene.noPool
      ? []
      : HOSTS.map((name, index) => ({
          uuid: name,
          ref: `OpaqueRef:${name}`,
          name,
          address: readHostAddress(`192.0.2.1${index}`, name),
          role: index === 0 ? ('coordinator' as const) : ('member' as const),
          live: !scene.down.includes(name),
          enabled: true,
          softwareVersion: { xapi_build: scene.old ? '24.11.0' : '26.13.0' },
          fingerprintSha256: undefined,
          clockOffsetMs: scene.clocks[name] ?? 0,
        })),
    installed: scene.noPool
      ? []
      : names.map((name) => {
          const certificate = made[scene.records[name] ?? name]?.certificate
          return {
            uuid: name,
            name: name.includes('.') ? name : `${name}.pem`,
            fingerprintSha256: certificate?.fingerprint256 ?? '',
            lacksFingerprints: scene.unfinished,
            notBefore: certificate && new Date(certificate.validFrom),
            notAfter: certificate && new Date(certificate.validTo),
          }
        }),
    crls: scene.noPool ? undefined : scene.crl === 'none' ? [] : [scene.crl === 'misnamed' ? 'list.crl' : 'list.pem'],
    proofs: scene.noPool ? [] : proofs,
    call: scene.noPool ? { kind: 'not asked', why: 'no pool was asked' } : callOf(scene, own),
    adviceError: scene.adviceError,
    nameOnCoordinator: scene.nameOnCoordinator,
    stores: scene.disks && !scene.noPool ? sightsOf(scene.disks, storeOf) : undefined,
    local: localOf(scene, made),
    known: new Map(known.map((certificate) => [certificate.fingerprint256, certificate])),
    observedAt: now,
    at: scene.atDays === undefined ? undefined : daysFromNow(scene.atDays),
    notAsked: [],
  }
}

function sightsOf(seen: readonly HostName[], storeOf: (host: HostName) => StoreOnDisk): StoresSeen {
  const closed = { state: 'not seen', why: 'no SSH server listens there [SSH_REFUSED]' } as const
  return new Map(HOSTS.map((host) => [host, seen.includes(host) ? { state: 'seen', store: storeOf(host) } : closed]))
}

type Call = Evidence['call']

function callOf(scene: Scene, own: readonly [string, ...string[]] | undefined): Call {
  if (!scene.licensed) return { kind: 'refused', error: ['LICENSE_RESTRICTION', 'WLB'] }
  if (!scene.connected) return { kind: 'refused', error: ['WLB_NOT_INITIALIZED'] }
  if (scene.unasked) return { kind: 'not asked', why: 'nobody asked' }
  const error = own ?? scene.call
  return error ? { kind: 'refused', error } : { kind: 'answered', configuration: scene.configuration }
}

/** What a host says that holds all this. */
function proofOf(
  scene: Scene,
  host: HostName,
  served: readonly X509Certificate[],
  store: StoreOnDisk,
  crl: string | undefined,
  today: Date,
): HostProof {
  const tookMs = 1
  if (scene.down.includes(host)) return { kind: 'not asked', why: 'the host is down' }
  if (scene.hangs.includes(host)) return { kind: 'not asked', why: 'no answer within 12000 ms' }
  if (scene.unasked) return { kind: 'not asked', why: 'nobody asked' }
  if (!scene.licensed || !scene.connected)
    return { kind: 'not asked', why: 'the pool is not connected to an appliance' }
  const said = scene.says[host]
  if (said) return { kind: 'refused', error: said, tookMs }
  const isPassword = scene.says.all?.[0] === 'WLB_AUTHENTICATION_FAILED'
  if (scene.says.all && !isPassword && !isBundleFirst(scene)) return { kind: 'refused', error: scene.says.all, tookMs }
  if (scene.verifies) {
    const now = new Date(today.getTime() + (scene.clocks[host] ?? 0))
    const verdict = checkAsPool({
      presented: served,
      name: scene.name,
      now,
      port: PORT,
      bundle: store.bundle,
      crls: crl === undefined ? undefined : [crl],
    })
    const wantsLeaf = scene.old && verdict.accepted && !wordsOf(scene.onDisk[host] ?? scene.installed).includes('leaf')
    if (wantsLeaf)
      return { kind: 'refused', error: ['SSL_VERIFY_ERROR', 'Certificate not found in local repository'], tookMs }
    const [code, ...params] = verdict.xapiError
    if (code !== undefined) {
      const mute = scene.muteReason && code === 'SSL_VERIFY_ERROR'
      return { kind: 'refused', error: [code, ...(mute ? [''] : params)], tookMs }
    }
  }
  return scene.says.all ? { kind: 'refused', error: scene.says.all, tookMs } : { kind: 'accepted', tookMs }
}

/** Without a bundle that loads nothing is dialled at all. */
function isBundleFirst({ verifies, installed, bundle, onDisk }: Scene): boolean {
  return verifies && ((installed === '' && Object.keys(onDisk).length === 0) || bundle === 'cut first')
}

async function crlOf({ crl }: Scene, { mid, root, other, leaf }: Made): Promise<string | undefined> {
  if (!mid || !root || !other || !leaf) return undefined
  switch (crl) {
    case 'none':
      return undefined
    case 'of mid':
      return issueCrl(mid)
    case 'revoking':
      return issueCrl(mid, { revoked: [leaf] })
    case 'expired':
      return issueCrl(mid, { thisUpdate: daysFromNow(-30), nextUpdate: daysFromNow(-1) })
    case 'future':
      return issueCrl(mid, { thisUpdate: daysFromNow(1) })
    case 'of root':
    case 'misnamed':
      return issueCrl(root)
    case 'other key':
      return issueCrl(mid, { signedBy: other })
  }
}

function localOf(scene: Scene, { leaf, mid, root, before, other }: Made<Shown>): LocalFacts | undefined {
  if (scene.local === 'none') return undefined
  const renewed = { same: leaf, other: before, renewed: before }[scene.local]
  const onDisk =
    scene.local === 'same' ? [leaf, mid, root] : scene.local === 'renewed' ? [renewed, mid] : [renewed, other]
  return {
    certificateFile: '/etc/ssl/certs/server.pem',
    keyFile: '/etc/ssl/certs/server.key',
    keyMode: scene.keyMode,
    fault: scene.fault,
    onDisk: onDisk.flatMap((one) => one?.certificate ?? []),
    hostname: NAME,
    running: scene.running,
    port: scene.localPort,
    settingsFile: '/etc/openwlb/openwlb.toml',
    nextStart: scene.nextStart,
    formerSha256: [],
    isAsked: true,
  }
}
