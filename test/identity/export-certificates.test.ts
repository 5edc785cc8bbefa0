/** What is given out of `server.pem`, and which host names are missing in it. */
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { paths } from '../../src/config/index.js'
import { type ExportedPart, encodeCertificates, exportCertificates, writeExport } from '../../src/identity/index.js'
import { findMissingNames } from '../../src/identity/store/certificate-report.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { configureOnly, HOSTNAME } from '../server/test-appliance.js'
import { type Issued, issue, issueAuthority } from '../x509/test-authority.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-export-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const place = paths(folder)
const issued: Record<string, Issued> = {}
beforeAll(async () => {
  await configureOnly(folder)
  mkdirSync(place.certificateFolder, { recursive: true })
  issued.root = await issueAuthority({ subject: 'root' })
  issued.mid = await issueAuthority({ subject: 'mid', issuer: issued.root })
  issued.leaf = await issue({ subject: 'leaf', issuer: issued.mid, dnsNames: [HOSTNAME] })
  issued.self = await issue({ subject: 'self' })
})

const cases: [file: string, part: ExportedPart, outcome: string][] = [
  ['leaf mid root', 'all', 'leaf mid root'],
  ['leaf mid root', 'leaf', 'leaf'],
  ['leaf mid root', 'chain', 'leaf mid'],
  ['leaf mid root', 'root', 'root'],
  ['leaf mid', 'all', 'leaf mid'],
  ['leaf mid', 'chain', 'leaf mid'],
  ['leaf mid', 'root', 'ROOT_NOT_THERE: CN=root'],
  ['self', 'all', 'self'],
  ['self', 'chain', 'self'],
  ['self', 'root', 'self'], // it is its own anchor
  ['self key', 'all', 'self'], // never a key
]
test.each(cases)('exported of "%s" %s: %s', async (file, part, outcome) => {
  const [first = ''] = file.split(' ')
  const leaf = issued[first]!
  writeFileSync(place.key, leaf.privateKeyPem)
  const texts = file.split(' ').map((name) => issued[name]?.certificatePem ?? leaf.privateKeyPem)
  writeFileSync(place.certificate, texts.join(''))
  const names = await exportCertificates(folder, part).then(
    (certificates) => {
      expect(encodeCertificates(certificates)).not.toContain('PRIVATE')
      return certificates.map(({ subject }) => subject.slice(3)).join(' ')
    },
    (error) => `${error.code}: ${error.facts.missing}`,
  )
  expect(names).toBe(outcome)
})

const files: [what: string, before: string | undefined, outcome: 'written' | 'EXPORT_WOULD_OVERWRITE'][] = [
  ['nothing', undefined, 'written'],
  ['an empty file', '', 'written'],
  ['an earlier export', 'PEM', 'written'],
  ['an earlier export in DER', 'DER', 'written'],
  ['a key', 'KEY', 'EXPORT_WOULD_OVERWRITE'],
  ['certificate and key', 'PEM + KEY', 'EXPORT_WOULD_OVERWRITE'],
  ['a letter', 'Dear all', 'EXPORT_WOULD_OVERWRITE'],
]
test.each(files)('over %s (%s): %s', async (_what, before, outcome) => {
  const path = join(folder, 'out')
  const { self } = issued
  rmSync(path, { force: true })
  const contents = new Map([
    ['PEM', self!.certificatePem],
    ['KEY', self!.privateKeyPem],
  ])
  const content = before
    ?.split(' + ')
    .map((word) => contents.get(word) ?? word)
    .join('')
  if (content !== undefined) writeFileSync(path, content === 'DER' ? self!.certificate.raw : content)
  const written = await writeExport(path, 'new').then(
    () => 'written',
    (error) => error.code,
  )
  expect(written).toBe(outcome)
  if (outcome === 'written') expect(statSync(path).mode & 0o777).toBe(0o644)
  else expect(readFileSync(path, 'utf8')).toBe(content)
})

const names: [hostname: string, configured: string, machine: string, missing: string][] = [
  ['wlb.example.com', 'wlb.example.com', 'wlb.example.com', ''],
  ['wlb.example.com', 'wlb.example.com', 'wlb', ''],
  ['wlb.example.com', 'WLB.example.com', 'WLB', ''],
  ['wlb.example.com', 'wlb.example.com', 'localhost', ''],
  ['wlb.example.com', 'wlb.example.com', 'wlb2', 'machine wlb2'],
  ['wlb.example.com', 'wlb.example.com', 'wlb.example.org', 'machine wlb.example.org'],
  ['wlb.example.com', 'wlb2.example.com', 'wlb', 'settings wlb2.example.com'],
  ['wlb.example.com', 'wlb2.example.com', 'wlb2.example.com', 'settings wlb2.example.com'],
  ['wlb.example.com', 'wlb2.example.com', 'wlb2', 'settings wlb2.example.com, machine wlb2'],
]
test.each(names)(
  'made for %s; configured %s, machine %s: missing "%s"',
  async (hostname, configured, machine, missing) => {
    const { certificatePem } = await createSelfSigned({ hostname, addresses: [], now: new Date() })
    const found = findMissingNames(new X509Certificate(certificatePem), configured, machine)
    expect(found.map(({ of, name }) => `${of} ${name}`).join(', ')).toBe(missing)
  },
)
