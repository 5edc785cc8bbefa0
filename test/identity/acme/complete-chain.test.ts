/** The root that an authority does not send, had from where its certificates say: from a server of the test's own. */

import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { completeChain } from '../../../src/identity/acme/anchor.js'
import { readPemBlocks } from '../../../src/x509/index.js'
import { type CertificateSpec, type Issued, issueAuthority } from '../../x509/test-authority.js'

const pages = new Map<string, Buffer>()
const server = createServer(({ url = '' }, response) => {
  const page = pages.get(url)
  response.writeHead(page ? 200 : 404).end(page ?? 'no such page')
})
let base: string
let root: Issued
let cross: Issued

const authority = (subject: string, spec: Partial<CertificateSpec> = {}) =>
  issueAuthority({ subject, keyKind: 'ec', ...spec })

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  root = await authority('Root')
  cross = await authority('Cross', { issuer: root, caIssuers: `${base}/root.der` })
  const namesake = await authority('Root', { keyLabel: 'another Root' })
  pages.set('/root.der', root.certificate.raw)
  pages.set('/root.pem', Buffer.from(root.certificatePem))
  pages.set('/several.pem', Buffer.from(namesake.certificatePem + root.certificatePem))
  pages.set('/namesake.der', namesake.certificate.raw)
  pages.set('/cross.der', cross.certificate.raw)
  pages.set('/garbage', Buffer.from('<html>'))
  pages.set('/endless', Buffer.alloc(100_000, 'A'))
})
afterAll(() => void server.close())

const cases: [page: string, outcome: string][] = [
  ['root.der', 'Mid Root'],
  ['root.pem', 'Mid Root'],
  ['several.pem', 'Mid Root'],
  ['namesake.der', 'Mid'], // its name, and not its key
  ['garbage', 'Mid'],
  ['endless', 'Mid'],
  ['not-there', 'Mid'],
  ['', 'Mid'],
]
it.each(cases)('a chain whose issuer is at "%s": %s', async (page, outcome) => {
  const at = page === '' ? {} : { caIssuers: `${base}/${page}` }
  const mid = await authority('Mid', { issuer: root, ...at })
  expect(await complete(mid)).toBe(outcome)
})

it('two steps up', async () => {
  const low = await authority('Low', { issuer: cross, caIssuers: `${base}/cross.der` })
  expect(await complete(low)).toBe('Low Cross Root')
})

it('a root that is at hand is not fetched', async () => {
  const mid = await authority('Mid', { issuer: root, caIssuers: `${base}/garbage` })
  const namesake = await authority('Root', { keyLabel: 'another Root' })
  const atHand = [namesake, mid, root].map(({ certificate }) => certificate)
  const chain = await completeChain(mid.certificatePem, new AbortController().signal, atHand)
  expect(readPemBlocks(chain)).toHaveLength(2)
  expect(chain).toContain(root.certificatePem.trim())
})

it('a root that was sent is not fetched again, and what cannot be read stays as it is', async () => {
  expect(await complete(root)).toBe('Root')
  expect(await completeChain('nothing', new AbortController().signal)).toBe('nothing')
})

async function complete({ certificatePem }: Issued): Promise<string> {
  const chain = await completeChain(certificatePem, new AbortController().signal)
  const names = readPemBlocks(chain).map(({ der }) => new X509Certificate(der).subject.replace('CN=', ''))
  return names.join(' ')
}
