/** Which renewals concern no pool: chains in the words of a small cast, the leaf and whatever comes with it. */
import { createPrivateKey, type X509Certificate } from 'node:crypto'
import { expect, it, test } from 'vitest'
import { type Anchor, anchorOf, isSameAnchor } from '../../../src/identity/acme/anchor.js'
import { orderChain } from '../../../src/x509/index.js'
import { type CertificateSpec, type Issued, issue, issueAuthority, TEST_NOW } from '../../x509/test-authority.js'

const CAST: Record<string, () => Promise<Issued>> = {
  root: () => authority('Root'),
  'root-again': () => authority('Root'),
  'root-rekeyed': () => authority('Root', undefined, { keyLabel: 'Root rekeyed' }),
  other: () => authority('Other'),
  r10: () => authority('R10', 'root'),
  r11: () => authority('R11', 'root'),
  'r12-rekeyed': () => authority('R12', 'root-rekeyed'),
  'r10-by-other': () => authority('R10', 'other'),
  'r13-silent': () => authority('R13', 'root', { keyIdentifiers: false }),
  'r14-silent': () => authority('R14', 'root', { keyIdentifiers: false }),
}
const made = new Map<string, Promise<Issued>>()
function cast(name: string): Promise<Issued> {
  const one = made.get(name) ?? CAST[name]?.()
  if (!one) throw new Error(`nobody is called ${name}`)
  made.set(name, one)
  return one
}

async function authority(subject: string, by?: string, spec: Partial<CertificateSpec> = {}): Promise<Issued> {
  return issueAuthority({
    subject,
    keyKind: 'ec',
    keyIdentifiers: true,
    ...(by && { issuer: await cast(by) }),
    ...spec,
  })
}

/** `r10 root`: a leaf signed by the first, sent with all of them; `self` is a leaf that signed itself. */
async function anchor(words: string): Promise<Anchor> {
  const names = words.split(' ')
  const [issuer = ''] = names
  const isSelf = issuer === 'self'
  const leaf = await issue({
    subject: 'wlb.lab.internal',
    dnsNames: ['wlb.lab.internal'],
    keyKind: 'ec',
    keyLabel: 'anchor-leaf',
    keyIdentifiers: true,
    ...(!isSelf && { issuer: await cast(issuer.replace(/!$/, '')) }),
  })
  const sent: X509Certificate[] = [leaf.certificate]
  for (const name of names) if (!isSelf && !name.endsWith('!')) sent.push((await cast(name)).certificate)
  const chain = orderChain(sent, createPrivateKey(leaf.privateKeyPem), TEST_NOW)
  if (!chain) throw new Error('the key is the leaf’s')
  return anchorOf(chain)
}

const cases: [before: string, after: string, same: boolean][] = [
  ['r10 root', 'r10 root', true],
  ['r10 root', 'r11 root', true],
  ['r10 root', 'r11', true], // the root is not sent, and the one before has signed it
  ['r10', 'r11 root', true],
  ['r10', 'r11', true], // neither root is there: both name the same one and its key
  ['r10 root', 'r10 root-again', true],
  ['r10 root', 'r12-rekeyed root-rekeyed', false],
  ['r10 root', 'r12-rekeyed', false],
  ['r10', 'r12-rekeyed', false],
  ['r10 root', 'r10-by-other other', false],
  ['r10', 'r10-by-other', false],
  ['r13-silent', 'r13-silent', true], // the same authority
  ['r13-silent', 'r14-silent', false], // nothing says that the key is the same
  ['root!', 'root!', true], // signed by the root itself, which is not sent
  ['self', 'r10 root', false],
  ['self', 'self', true],
]
it.each(cases)('from "%s" to "%s": the same is %s', async (before, after, same) => {
  const [one, other] = [await anchor(before), await anchor(after)]
  expect([isSameAnchor(one, other), isSameAnchor(other, one)]).toEqual([same, same])
})

test('an anchor says what it is called, with the root and without', async () => {
  expect((await anchor('r10 root')).name).toBe('CN=Root')
  expect((await anchor('r10')).name).toBe('CN=Root')
  expect((await anchor('r10')).root).toBeUndefined()
  expect((await anchor('self')).root?.subject).toBe('CN=wlb.lab.internal')
})
