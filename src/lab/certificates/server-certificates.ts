/**
 * The calls about the certificates that a host serves: showing, replacing and renewing them (docs/protocol/pool.md,
 * server certificates).
 */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { readFile, rename } from 'node:fs/promises'
import { replaceFile } from '../../base/files/durable-file.js'
import { createSelfSigned, decodeSingleCertificate, describeCertificate, readPemBlocks } from '../../x509/index.js'
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { type Call, changing, emergency, type Method, poolInternal, reading } from '../api/method.js'
import { type Coordinator, callMember, type LabHost, memberRefs } from '../host/host.js'
import { copyToMembers } from './distribution.js'
import { type DistributionCommand, encodeCommand } from './distribution-command.js'
import { carryOut, certificateFields, readInstallable, removeFromStore } from './trust-store.js'

export const SERVER_CERTIFICATE_METHODS: readonly [string, Method][] = [
  ['host.get_server_certificate', reading(1, onNamedHost('host.lab_get_server_certificate'))],
  [
    'host.install_server_certificate',
    changing(4, recorded('host', onNamedHost('host.lab_install_server_certificate'))),
  ],
  ['host.reset_server_certificate', changing(1, recorded('host', onNamedHost('host.lab_reset_server_certificate')))],
  ['host.refresh_server_certificate', changing(1, refresh)],
  ['host.emergency_reset_server_certificate', emergency(0, ({ host }) => reset(host))],
  ['host.lab_get_server_certificate', poolInternal(1, 'here', ({ host }) => shownCertificate(host))],
  ['host.lab_install_server_certificate', poolInternal(4, 'here', install)],
  ['host.lab_reset_server_certificate', poolInternal(1, 'here', ({ host }) => reset(host))],
  ['host.lab_new_internal_identity', poolInternal(1, 'here', ({ host }) => prepareInternal(host))],
  ['host.lab_use_internal_identity', poolInternal(1, 'here', ({ host }) => useInternal(host))],
]

const POOL_CERTIFICATES = { store: 'HostPoolCert' } as const

type Handler = (call: Call) => Promise<ApiValue>

/** Runs `method`, which changes files, on the host that the first parameter names. */
function onNamedHost(method: string): Handler {
  return async ({ host, coordinator, args }) => {
    const ref = args.ref(0, 'host', 'host', coordinator)
    return callNamed(host, coordinator, ref, method, args.all.slice(1))
  }
}

async function callNamed(
  host: LabHost,
  coordinator: Coordinator,
  ref: string,
  method: string,
  args: readonly ApiValue[],
): Promise<ApiValue> {
  if (ref !== coordinator.hostRef) return callMember(host, coordinator, ref, method, ref, ...args)
  const session = coordinator.sessions.own(coordinator.hostRef)
  return host.callPool(host.settings.address, method, [session.ref, ref, ...args])
}

/** Records the certificate that the host returns; the caller gets an empty answer. */
function recorded(type: 'host' | 'host_internal', handler: Handler): Handler {
  return async (call) => {
    const pem = await handler(call)
    record(call.coordinator, call.args.text(0, 'host'), type, String(pem))
    return ''
  }
}

function record({ database }: Coordinator, ref: string, type: string, pem: string): void {
  const decoded = decodeSingleCertificate(pem)
  if (decoded.state === 'refused') throw new ApiFailure('INTERNAL_ERROR', [decoded.why])
  const older = database.rows('Certificate').filter(([, known]) => known.type === type && known.host === ref)
  database.create('Certificate', { type, host: ref, ...certificateFields(decoded.certificate) })
  for (const [known] of older) database.destroy('Certificate', known)
  const held = database.rows('Certificate').filter(([, known]) => known.host === ref)
  database.update('host', ref, { certificates: held.map(([known]) => known) })
}

async function shownCertificate({ layout }: LabHost): Promise<string> {
  const text = await readFile(layout.externalIdentity, 'utf8')
  return firstCertificate(text)
}

function firstCertificate(text: string): string {
  return /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/.exec(text)?.[0] ?? ''
}

async function install({ host, args }: Call): Promise<ApiValue> {
  const [pem, keyPem, chain] = [
    args.text(1, 'certificate'),
    args.text(2, 'private_key'),
    args.text(3, 'certificate_chain'),
  ]
  const certificate = readInstallable(pem, 'SERVER_CERTIFICATE', host.now())
  const key = readServerKey(keyPem)
  if (!certificate.checkPrivateKey(key)) throw new ApiFailure('SERVER_CERTIFICATE_KEY_MISMATCH', [])
  refuseWeakSignature(certificate)
  refuseBrokenChain(chain)
  const parts = [keyPem, pem, chain].filter((part) => part !== '').map((part) => `${part.trimEnd()}\n`)
  await replaceFile(host.layout.externalIdentity, parts.join('\n'), 0o600)
  await host.reloadIdentities()
  return pem
}

/** PKCS#8 RSA of 2048 to 4096 bits, not encrypted. */
function readServerKey(text: string): KeyObject {
  if (!text.includes('-----BEGIN PRIVATE KEY-----')) throw new ApiFailure('SERVER_CERTIFICATE_KEY_INVALID', [])
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch {
    throw new ApiFailure('SERVER_CERTIFICATE_KEY_INVALID', [])
  }
  if (key.asymmetricKeyType !== 'rsa')
    throw new ApiFailure('SERVER_CERTIFICATE_KEY_ALGORITHM_NOT_SUPPORTED', [key.asymmetricKeyType ?? ''])
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < 2048 || bits > 4096)
    throw new ApiFailure('SERVER_CERTIFICATE_KEY_RSA_LENGTH_NOT_SUPPORTED', [String(bits)])
  return key
}

function refuseWeakSignature(certificate: X509Certificate): void {
  const { signatureAlgorithm } = describeCertificate(certificate)
  if (!/sha-?(256|512)/i.test(signatureAlgorithm)) {
    throw new ApiFailure('SERVER_CERTIFICATE_SIGNATURE_NOT_SUPPORTED', [])
  }
}

function refuseBrokenChain(chain: string): void {
  if (chain === '') return
  try {
    if (readPemBlocks(chain).some(({ label }) => label === 'CERTIFICATE')) return
  } catch {
    // reported below with xapi's code
  }
  throw new ApiFailure('SERVER_CERTIFICATE_CHAIN_INVALID', [])
}

async function reset(host: LabHost): Promise<string> {
  const { certificatePem, privateKeyPem } = await newIdentity(host)
  await replaceFile(host.layout.externalIdentity, `${privateKeyPem}${certificatePem}`, 0o600)
  await host.reloadIdentities()
  return certificatePem
}

function newIdentity({ settings, now }: LabHost) {
  return createSelfSigned({ hostname: settings.name, addresses: [settings.address], now: now() })
}

/**
 * Replaces the internal certificate while the pool runs: first every host trusts the old and the new one, then the host
 * serves the new one, then the old one is removed.
 */
async function refresh({ host, coordinator, args }: Call): Promise<ApiValue> {
  const ref = args.ref(0, 'host', 'host', coordinator)
  const uuid = String(coordinator.database.get('host', ref).uuid)
  const pem = String(await callNamed(host, coordinator, ref, 'host.lab_new_internal_identity', []))
  await writeEverywhere(host, coordinator, `${uuid}.new.pem`, pem)
  await callNamed(host, coordinator, ref, 'host.lab_use_internal_identity', [])
  await writeEverywhere(host, coordinator, `${uuid}.pem`, pem)
  await removeFromStore(host.layout, POOL_CERTIFICATES, `${uuid}.new.pem`)
  await copyToMembers(host, coordinator)
  record(coordinator, ref, 'host_internal', pem)
  return ''
}

async function writeEverywhere(
  host: LabHost,
  coordinator: Coordinator,
  filename: string,
  content: string,
): Promise<void> {
  const write: DistributionCommand = {
    kind: 'Write',
    into: POOL_CERTIFICATES,
    strategy: 'Merge',
    files: [{ filename, content }],
  }
  for (const command of [write, { kind: 'GenBundle' } as const]) {
    await carryOut(host.layout, command)
    for (const ref of memberRefs(coordinator)) {
      await callMember(host, coordinator, ref, 'host.cert_distrib_atom', ref, encodeCommand(command))
    }
  }
}

async function prepareInternal(host: LabHost): Promise<string> {
  const { certificatePem, privateKeyPem } = await createSelfSigned({
    hostname: host.settings.uuid,
    addresses: [host.settings.address],
    now: host.now(),
  })
  await replaceFile(`${host.layout.internalIdentity}.new`, `${privateKeyPem}${certificatePem}`, 0o600)
  return certificatePem
}

async function useInternal(host: LabHost): Promise<ApiValue> {
  await rename(`${host.layout.internalIdentity}.new`, host.layout.internalIdentity)
  await host.reloadIdentities()
  return ''
}
