/** The words evidence is made of: what is served, what is installed and believed, and what each of them changes. */
import type { EndpointFacts } from '../../src/tls/index.js'
import type { LocalFacts } from '../../src/trust/index.js'
import { type CertificateSpec, daysFromNow } from '../x509/test-authority.js'

export const NAME = 'wlb.lab.test'
const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS

export type HostName = 'xs1' | 'xs2' | 'xs3'
export const HOSTS: readonly HostName[] = ['xs1', 'xs2', 'xs3']

export type FileForm = 'plain' | 'DER' | 'trusted' | 'twice' | 'marked' | 'with a key' | 'a request'

interface Pki {
  root: Partial<CertificateSpec>
  mid: Partial<CertificateSpec>
  leaf: Partial<CertificateSpec>
}

/** What a word changes. */
export interface Scene {
  pki: Pki
  selfSigned: boolean
  /** Of `leaf`, `mid`, `root`. */
  sent: string
  /** Names of what is installed, in the records and (unless a host says otherwise) on every disk. */
  installed: string
  onDisk: Partial<Record<HostName, string>>
  bundle: 'built' | 'cut first' | 'cut later'
  /** Hosts somebody has logged in to; undefined where nobody tried. */
  disks: readonly HostName[] | undefined
  forms: Partial<Record<HostName | 'all', FileForm>>
  bundles: Partial<Record<HostName, 'gone' | 'of another' | 'damaged'>>
  /** A folder with the name of a certificate. */
  folderOn: readonly HostName[]
  /** When the store of a host was written. */
  hoursAgo: Partial<Record<HostName, number>>
  crl: 'none' | 'of mid' | 'revoking' | 'expired' | 'future' | 'of root' | 'other key' | 'misnamed'
  name: string
  endpoint: EndpointFacts | undefined
  /** What hosts say whatever their stores say. */
  says: Partial<Record<HostName | 'all', readonly [string, ...string[]]>>
  call: readonly [string, ...string[]] | undefined
  configuration: Record<string, string>
  verifies: boolean
  tlsVerification: boolean
  enabled: boolean
  licensed: boolean
  connected: boolean
  clocks: Partial<Record<HostName | 'appliance', number>>
  down: readonly HostName[]
  hangs: readonly HostName[]
  old: boolean
  unfinished: boolean
  nameOnCoordinator: 'known' | 'unknown' | 'not asked'
  adviceError: readonly string[]
  resolved: readonly string[]
  local: 'none' | 'same' | 'other' | 'renewed'
  fault: LocalFacts['fault'] | undefined
  keyMode: number
  running: boolean
  localPort: number
  nextStart: LocalFacts['nextStart']
  noPool: boolean
  known: string
  atDays: number | undefined
  muteReason: boolean
  unasked: boolean
  /** What the database has on record under a name, where that is another certificate. */
  records: Readonly<Record<string, string>>
  /** A client certificate. */
  demanded: boolean
}

type Change = (scene: Scene) => void
type Said = readonly [string, ...string[]]

const set =
  (part: Partial<Scene>): Change =>
  (scene) => {
    Object.assign(scene, part)
  }
const spec =
  (which: keyof Pki, fields: Partial<CertificateSpec>): Change =>
  ({ pki }) => {
    Object.assign(pki[which], fields)
  }
const leaf = (fields: Partial<CertificateSpec>) => spec('leaf', fields)
const mid = (fields: Partial<CertificateSpec>) => spec('mid', fields)
const all =
  (...changes: readonly Change[]): Change =>
  (scene) => {
    for (const change of changes) change(scene)
  }
const says =
  (who: HostName | 'all', said: Said): Change =>
  (scene) => {
    scene.says = { ...scene.says, [who]: said }
  }
const disk =
  (host: HostName, files: string): Change =>
  (scene) => {
    scene.onDisk = { ...scene.onDisk, [host]: files }
  }
const form = (host: HostName | 'all', file: FileForm): Change => set({ forms: { [host]: file } })
const clock =
  (who: readonly (HostName | 'appliance')[], ms: number): Change =>
  (scene) => {
    scene.clocks = { ...scene.clocks, ...Object.fromEntries(who.map((one) => [one, ms])) }
  }
const refused = (obstacle: Extract<EndpointFacts, { state: 'refused' }>['obstacle']): Change =>
  all(
    set({ endpoint: { state: 'refused', obstacle, alert: 'handshake failure', certificates: [] } }),
    says('all', ['WLB_CONNECTION_RESET']),
  )
const fault = (kind: NonNullable<LocalFacts['fault']>['kind']): Change =>
  set({ local: 'same', fault: { kind, message: `It is wrong: ${kind}.`, remedy: 'wlb cert show' } })
const closed = all(
  set({ endpoint: { state: 'unreachable', why: 'connect ECONNREFUSED', indicator: 'Connection refused' } }),
  says('all', ['WLB_CONNECTION_REFUSED']),
)
const longGone = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }

const TAKEN = { code: 'PORT_IN_USE', message: 'Another process listens there.', remedy: 'ss -ltnp sport = :9012' }

export const WORDS: Readonly<Record<string, Change>> = {
  healthy: () => {},
  // certificates
  'leaf expired': leaf(longGone),
  'intermediate expired': mid({ notAfter: daysFromNow(-1) }),
  'root expired': spec('root', { notAfter: daysFromNow(-1) }),
  'leaf not yet valid': leaf({ notBefore: daysFromNow(1) }),
  'leaf ends in 5 days': leaf({ notAfter: daysFromNow(5) }),
  'leaf ends in 40 days': leaf({ notAfter: daysFromNow(40) }),
  'intermediate ends in 40 days': mid({ notAfter: daysFromNow(40) }),
  'root ends in 40 days': spec('root', { notAfter: daysFromNow(40) }),
  'other CN': leaf({ subject: 'before.lab.test', dnsNames: [] }),
  'other SAN': leaf({ dnsNames: ['before.lab.test'] }),
  'high wildcard': leaf({ subject: '*.test', dnsNames: ['*.test'] }),
  wildcard: leaf({ subject: '*.lab.test', dnsNames: ['*.lab.test'] }),
  'address as name': leaf({ dnsNames: [NAME, '192.0.2.7'] }),
  'weak leaf': leaf({ keyKind: 'rsa1024', keyLabel: 'weak' }),
  'weak intermediate': mid({ keyKind: 'rsa1024', keyLabel: 'weak mid' }),
  'SHA-1': leaf({ digest: 'SHA-1' }),
  'for clients': leaf({ extendedKeyUsage: ['clientAuth'] }),
  'usage of an authority': leaf({ keyUsage: ['keyCertSign'] }),
  'intermediate may not sign': mid({ keyUsage: ['cRLSign'] }),
  'intermediate is none': mid({ ca: false }),
  'root allows none below': spec('root', { pathLength: 0 }),
  'other domain only': mid({ permittedDomain: 'elsewhere.test' }),
  'self-signed': set({ selfSigned: true, sent: 'leaf', installed: 'leaf' }),
  // what is sent and installed
  'leaf alone': set({ sent: 'leaf' }),
  'root not sent': set({ sent: 'leaf mid' }),
  'root before intermediate': set({ sent: 'leaf root mid' }),
  'nothing installed': set({ installed: '' }),
  'other installed': set({ installed: 'other' }),
  'leaf installed': set({ installed: 'leaf' }),
  'intermediate installed': set({ installed: 'mid' }),
  'rekeyed installed': set({ installed: 'rekeyed' }),
  'one from before installed': set({ installed: 'before' }),
  'wlb.pem is another': set({ installed: 'wlb.pem' }),
  'expired installed too': (scene) => {
    scene.installed = `${scene.installed} stale`
  },
  misnamed: all(set({ installed: 'root.crt' }), disk('xs1', ''), disk('xs2', ''), disk('xs3', '')),
  'all known': set({ known: 'root mid leaf other rekeyed before stale' }),
  'intermediate known': set({ known: 'mid' }),
  'cut first': set({ bundle: 'cut first' }),
  'cut later': set({ bundle: 'cut later' }),
  'xs3 lacks it': disk('xs3', ''),
  'xs1 lacks it': disk('xs1', ''),
  'xs3 holds another': disk('xs3', 'other'),
  'xs3 holds another of that name': disk('xs3', 'root.pem'),
  'no record': (scene) => {
    scene.onDisk = { xs1: scene.installed, xs2: scene.installed, xs3: scene.installed, ...scene.onDisk }
    scene.installed = ''
  },
  'no fingerprints': set({ unfinished: true }),
  // on disks, which somebody has looked at
  'disks seen': set({ disks: HOSTS }),
  'disk of xs1 seen': set({ disks: ['xs1'] }),
  'disk of xs3 not seen': set({ disks: ['xs1', 'xs2'] }),
  'DER files': form('all', 'DER'),
  'a DER file on xs3': form('xs3', 'DER'),
  'trusted files': form('all', 'trusted'),
  'chain in a file': form('all', 'twice'),
  'marked files': form('all', 'marked'),
  'marked files on xs3': form('xs3', 'marked'),
  'key in a file': form('all', 'with a key'),
  'a request for a certificate': form('all', 'a request'),
  'folder among the files': set({ folderOn: HOSTS }),
  'folder on xs3': set({ folderOn: ['xs3'] }),
  'xs3 written long ago': set({ hoursAgo: { xs3: 9 } }),
  'bundle of xs1 gone': set({ bundles: { xs1: 'gone' } }),
  'bundle of xs3 gone': set({ bundles: { xs3: 'gone' } }),
  'bundle of xs3 of another': set({ bundles: { xs3: 'of another' } }),
  'bundle of xs1 damaged': set({ bundles: { xs1: 'damaged' } }),
  'xs3 holds more': (scene) => {
    scene.onDisk = { ...scene.onDisk, xs3: `${scene.installed} other` }
  },
  'two installed': (scene) => {
    scene.installed = `mid ${scene.installed}`
  },
  'on no disk': set({ onDisk: { xs1: '', xs2: '', xs3: '' } }),
  'all disks hold another': set({ records: { root: 'other' } }),
  // revocation
  'list of the issuer': set({ crl: 'of mid' }),
  revoked: set({ crl: 'revoking' }),
  'list expired': set({ crl: 'expired' }),
  'list in the future': set({ crl: 'future' }),
  'list of the root': set({ crl: 'of root' }),
  'list of another key': set({ crl: 'other key' }),
  'list misnamed': set({ crl: 'misnamed' }),
  // names
  'by address': set({ name: '192.0.2.7' }),
  'short name': set({ name: 'wlb' }),
  'dot at the end': set({ name: `${NAME}.` }),
  capitals: set({ name: NAME.toUpperCase() }),
  // clocks
  'xs1 a year behind': clock(['xs1'], -YEAR_MS),
  'all hosts a year behind': clock(['xs1', 'xs2', 'xs3'], -YEAR_MS),
  'xs2 ten minutes ahead': clock(['xs2'], HOUR_MS / 6),
  'we are late': clock(['xs1', 'xs2', 'xs3', 'appliance'], HOUR_MS),
  // network and TLS
  closed,
  silent: set({ endpoint: { state: 'silent', connected: false }, unasked: true }),
  'silent for hosts': says('all', ['WLB_TIMEOUT', '30.']),
  'plain HTTP': all(
    set({ endpoint: { state: 'not-tls', firstLine: 'HTTP/1.1 400 Bad Request' } }),
    says('all', ['WLB_CONNECTION_RESET']),
  ),
  'name unknown': all(says('all', ['WLB_UNKNOWN_HOST']), set({ nameOnCoordinator: 'unknown' })),
  'name unknown to new stunnels': all(says('all', ['WLB_CONNECTION_RESET']), set({ nameOnCoordinator: 'unknown' })),
  'name unknown to xs2': says('xs2', ['WLB_UNKNOWN_HOST']),
  'no route': all(says('all', ['WLB_UNKNOWN_HOST']), set({ nameOnCoordinator: 'known' })),
  'broken off': all(says('all', ['WLB_CONNECTION_RESET']), set({ nameOnCoordinator: 'known' })),
  'out of reach from here': set({ endpoint: { state: 'silent', connected: false } }),
  elliptic: refused('KEY_NOT_RSA'),
  'TLS 1.3': refused('TLS_1_3_ONLY'),
  'TLS 1.1': refused('TLS_TOO_OLD'),
  'other suites': refused('NO_COMMON_SUITE'),
  'other curves': refused('NO_COMMON_CURVE'),
  'client certificate': all(set({ demanded: true }), says('all', ['WLB_CONNECTION_RESET'])),
  // the appliance's own files
  local: set({ local: 'same' }),
  'another machine': all(set({ local: 'other' }), leaf({ subject: 'printer.lab.test', dnsNames: [] })),
  'a middlebox': set({ local: 'other', installed: 'other' }),
  'not restarted': all(set({ local: 'renewed' }), leaf(longGone)),
  'root first': fault('root first'),
  joined: fault('joined'),
  'other key': fault('key of another'),
  'encrypted key': fault('key encrypted'),
  'open key': set({ local: 'same', keyMode: 0o100644 }),
  stopped: all(set({ local: 'same', running: false }), closed),
  'unusable settings': set({
    local: 'same',
    nextStart: {
      faults: [{ code: 'SETTINGS_INVALID', message: 'It is wrong: a hash.', remedy: 'wlb account password' }],
      changed: [],
    },
  }),
  'another port on disk': set({
    local: 'same',
    nextStart: { faults: [], changed: [{ key: 'port', now: '8012', next: '9012' }] },
  }),
  'a taken port on disk': set({
    local: 'same',
    nextStart: { faults: [TAKEN], changed: [{ key: 'port', now: '8012', next: '9012' }] },
  }),
  'somebody else at its port': set({ local: 'same', running: false, nextStart: { faults: [TAKEN], changed: [] } }),
  'another password on disk': set({
    local: 'same',
    nextStart: { faults: [], changed: [{ key: 'account.password_hash', now: '', next: '' }] },
  }),
  'started on another port': all(set({ local: 'same', localPort: 9012 }), closed),
  'xs2 refused': says('xs2', ['WLB_CONNECTION_REFUSED']),
  'xs2 times out': says('xs2', ['WLB_TIMEOUT', '30.']),
  // passwords and switches
  'wrong password': (scene) => {
    scene.says = { all: ['WLB_AUTHENTICATION_FAILED'], ...scene.says }
  },
  'pool password wrong': set({ call: ['WLB_INTERNAL_ERROR', '4002', 'login failed'] }),
  'credentials not valid': set({ configuration: { CredentialsValid: 'false' } }),
  'odd answer': set({ call: ['WLB_MALFORMED_RESPONSE', 'GetXenPoolConfiguration', 'no result', ''] }),
  'verification off': set({ verifies: false }),
  'TLS verification on': set({ tlsVerification: true }),
  paused: set({ enabled: false }),
  'no advice': set({
    adviceError: ['WLB_INTERNAL_ERROR', 'Exception:', 'X is not offered by this version of OpenWLB'],
  }),
  'no advice yet': set({ adviceError: ['WLB_INTERNAL_ERROR', '4010'] }),
  'not connected': set({ connected: false }),
  'no licence': set({ licensed: false }),
  'old pool': set({ old: true }),
  'reason left out': set({ muteReason: true }),
  'nobody asked': set({ unasked: true }),
  'xs3 down': set({ down: ['xs3'] }),
  'xs3 hangs': set({ hangs: ['xs3'] }),
  'no pool': set({ noPool: true }),
  'in 60 days': set({ atDays: 60 }),
}

export function newScene(): Scene {
  return {
    pki: {
      root: {},
      mid: {},
      leaf: { dnsNames: [NAME], ipAddresses: ['192.0.2.7'], extendedKeyUsage: ['serverAuth'] },
    },
    selfSigned: false,
    sent: 'leaf mid root',
    installed: 'root',
    onDisk: {},
    bundle: 'built',
    disks: undefined,
    forms: {},
    bundles: {},
    folderOn: [],
    hoursAgo: {},
    records: {},
    crl: 'none',
    name: NAME,
    endpoint: undefined,
    says: {},
    call: undefined,
    configuration: {},
    verifies: true,
    tlsVerification: false,
    enabled: true,
    licensed: true,
    connected: true,
    clocks: {},
    down: [],
    hangs: [],
    old: false,
    unfinished: false,
    nameOnCoordinator: 'not asked',
    adviceError: [],
    resolved: ['192.0.2.7'],
    local: 'none',
    fault: undefined,
    keyMode: 0o100600,
    running: true,
    localPort: 8012,
    nextStart: { faults: [], changed: [] },
    noPool: false,
    known: '',
    atDays: undefined,
    muteReason: false,
    unasked: false,
    demanded: false,
  }
}
