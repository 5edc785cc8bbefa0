/** What the doctor shows: text, document and page, byte by byte. The certificates are kept in check/. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { visible } from '../../src/base/text/printable.js'
import { describeDiagnosis } from '../../src/cli/doctor/diagnosis-text.js'
import { renderPage } from '../../src/cli/doctor/page.js'
import { printJson } from '../../src/cli/terminal/print.js'
import { diagnose, type Evidence } from '../../src/trust/index.js'
import { fixedEvidence } from '../trust/evidence.js'
import { EVIL, HIDDEN } from './foreign/seen.js'
import { written } from './written.js'

const now = new Date('2026-03-01T12:00:00Z')
const name = 'wlb.example.com'

function read(file: string, index = 0): X509Certificate {
  const text = readFileSync(join(import.meta.dirname, 'check', file), 'utf8')
  return new X509Certificate(text.match(/-----BEGIN[\s\S]*?END CERTIFICATE-----/g)?.[index] ?? '')
}

const certificates = { leaf: read('full-chain.pem'), mid: read('full-chain.pem', 1), root: read('root.pem') }
const expired = { ...certificates, leaf: read('expired.pem') }

const cases: [file: string, evidence: () => Promise<Evidence>][] = [
  ['healthy', () => fixedEvidence('healthy', { name, now, certificates })],
  ['row-22-nothing-installed', () => fixedEvidence('nothing installed', { name, now, certificates })],
  [
    'rows-01-06-expired-and-misnamed',
    () => fixedEvidence('healthy', { name: 'wlb.example.net', now, certificates: expired }),
  ],
  ['row-28-one-host', () => fixedEvidence('xs3 lacks it', { name, now, certificates })],
]

it.each(cases)('shows %s', async (file, make) => {
  const evidence = await make()
  const diagnosis = diagnose(evidence)
  const golden = (kind: string) => `golden/doctor/${file}.${kind}`
  await expect(`${describeDiagnosis(evidence, diagnosis, [])}\n`).toMatchFileSnapshot(golden('txt'))
  await expect(written((out) => printJson(diagnosis, out))).toMatchFileSnapshot(golden('json'))
  await expect(renderPage(evidence, diagnosis)).toMatchFileSnapshot(golden('html'))
})

test('a page keeps user names and sessions to itself, and shows what is hostile as text', async () => {
  const evidence = await fixedEvidence('wrong password', { name, now, certificates })
  const { pool } = evidence
  if (!pool) throw new Error('there is a pool')
  const [first, ...rest] = evidence.hosts
  if (!first) throw new Error('a pool has a host')
  const hostile = {
    ...evidence,
    pool: { ...pool, name: '<script>alert(1)</script> OpaqueRef:0a1b-2c', wlbUserName: 'balancer' },
    hosts: [{ ...first, name: '"><img src=x> balancer' }, ...rest],
  }
  const page = renderPage(hostile, diagnose(hostile))
  expect(page).not.toMatch(/<script|<img|balancer|OpaqueRef/)
  expect(page).toContain('&lt;script&gt;')
})

test('a page holds nothing that is not seen, or turns text round, as the command writes it', async () => {
  const evidence = await fixedEvidence('wrong password', { name, now, certificates })
  const { pool } = evidence
  if (!pool) throw new Error('there is a pool')
  const hosts = evidence.hosts.map((host) => ({ ...host, name: EVIL, softwareVersion: { xapi: EVIL } }))
  const hostile = { ...evidence, pool: { ...pool, name: EVIL }, hosts }
  expect(renderPage(visible(hostile), visible(diagnose(hostile)))).not.toMatch(HIDDEN)
})
