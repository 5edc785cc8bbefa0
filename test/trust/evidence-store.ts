/** The disk of a host of the evidence: files in the form a word has given them, and the bundle a host builds from them. */
import type { X509Certificate } from 'node:crypto'
import type { StoreOnDisk } from '../../src/trust/connection/disks.js'
import { encodePem } from '../../src/x509/index.js'
import { type FileForm, type HostName, NAME, type Scene } from './evidence-words.js'

const HOUR_MS = 3_600_000
const CUT = '-----BEGIN CERTIFICATE-----\nMIID\n'

export function makeStore(
  scene: Scene,
  host: HostName,
  find: (word: string) => X509Certificate | undefined,
  { crl, now }: { readonly crl: string | undefined; readonly now: Date },
): StoreOnDisk {
  const changedMs = now.getTime() - (scene.hoursAgo[host] ?? 1) * HOUR_MS
  const held = (scene.onDisk[host] ?? scene.installed).split(' ').filter(Boolean)
  const form = scene.forms[host] ?? scene.forms.all ?? 'plain'
  const cut = { built: [], 'cut first': ['0-cut.pem'], 'cut later': ['zz-cut.pem'] }[scene.bundle]
  const files = [
    ...held.flatMap((word) => {
      const certificate = find(word)
      const name = word.includes('.') ? word : `${word}.pem`
      return certificate ? [{ name, bytes: inForm(certificate, form), changedMs }] : []
    }),
    ...(held.length === 0 ? [] : cut.map((name) => ({ name, bytes: Buffer.from(CUT), changedMs }))),
  ].sort((one, other) => (one.name < other.name ? -1 : 1))
  const built = Buffer.concat(files.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]))
  const bundles = { gone: undefined, 'of another': Buffer.from(String(find('other'))), damaged: Buffer.from(CUT) }
  const said = scene.bundles[host]
  return {
    certificates: files,
    certificatesChangedMs: changedMs,
    bundle: said ? bundles[said] : files.length === 0 ? undefined : built,
    crls: crl === undefined ? [] : [{ name: 'list.pem', bytes: Buffer.from(crl), changedMs }],
    links: crl === undefined ? [] : [{ folder: 'crls', name: '0a1b2c3d.r0', target: 'list.pem' }],
    odd: scene.folderOn.includes(host) ? [{ path: 'certs/damaged.pem', what: 'directory' }] : [],
    resolved: undefined,
  }
}

function inForm(certificate: X509Certificate, form: FileForm): Buffer {
  const pem = String(certificate)
  switch (form) {
    case 'plain':
      return Buffer.from(pem)
    case 'DER':
      return certificate.raw
    case 'trusted':
      return Buffer.from(encodePem('TRUSTED CERTIFICATE', Buffer.concat([certificate.raw, Buffer.from('3000', 'hex')])))
    case 'twice':
      return Buffer.from(pem + pem)
    case 'marked':
      return Buffer.from(`\uFEFF${pem.replaceAll('\n', '\r\n')}`)
    case 'with a key':
      return Buffer.from(pem + encodePem('PRIVATE KEY', Buffer.from('not one')))
    case 'a request':
      return Buffer.from(encodePem('CERTIFICATE REQUEST', Buffer.from(`not one for ${NAME}`)))
  }
}
