/** Hash links are those OpenSSL makes, also where its answer of before is used. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { refreshHashLinks } from '../../src/lab/certificates/hash-links.js'
import { requirePart } from '../real-parts.js'
import { issueAuthority } from '../x509/test-authority.js'

const base = mkdtempSync(join(tmpdir(), 'openwlb-links-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))
const [one, other] = await Promise.all(['One Root', 'Other Root'].map((subject) => issueAuthority({ subject })))

const linksOf = (folder: string) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isSymbolicLink() ? [`${entry.name} ${readlinkSync(join(folder, entry.name))}`] : [],
  )

/** As OpenSSL makes them, of the files and links that are there. */
function expected(folder: string): string[] {
  const copy = `${folder}.expected`
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true })
  execFileSync('openssl', ['rehash', copy], { stdio: 'ignore' })
  const links = linksOf(copy)
  rmSync(copy, { recursive: true })
  return links
}

const write = (folder: string, files: Readonly<Record<string, string>>) => {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

const first = join(base, 'first')
const files = { 'a.pem': one?.certificatePem ?? '', 'b.pem': other?.certificatePem ?? '' }
const openssl = requirePart('openssl')

test.skipIf(!openssl)('openssl: the same files get the same links on another host, without another run', async () => {
  const wanted = await refreshed(files)
  expect(wanted).toHaveLength(2)

  const second = join(base, 'second')
  write(second, files)
  vi.stubEnv('PATH', base)
  await refreshHashLinks(second)
  vi.unstubAllEnvs()
  expect(linksOf(second)).toEqual(wanted)
})

const LATER: readonly [what: string, later: Readonly<Record<string, string>>][] = [
  ['the same files', files],
  ['another content under the same names', { 'a.pem': files['b.pem'], 'b.pem': files['a.pem'] }],
  ['a file that cannot be used', { 'c.pem': 'no certificate' }],
  ['a revocation list without end', { 'd.pem': '-----BEGIN X509 CRL-----\n' }],
]
test.skipIf(!openssl).each(LATER)('openssl: %s beside the links of before', async (_, later) => {
  await refreshed(later)
})

/** As they are after it, compared with what OpenSSL makes of the same. */
async function refreshed(given: Readonly<Record<string, string>>): Promise<string[]> {
  write(first, given)
  const wanted = expected(first)
  await refreshHashLinks(first)
  expect(linksOf(first)).toEqual(wanted)
  return wanted
}
