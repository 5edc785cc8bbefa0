/** The failure catalogue, row by row: what the real stunnel says of it, and we. */
import type { TlsOptions } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { checkAsPool, observeEndpoint } from '../../src/tls/index.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { CATALOGUE } from './catalogue.js'
import { type Draft, draftPlain, leafOf } from './draft.js'
import { describeAnswer, type JudgedSet } from './judge.js'
import { askOurs } from './judge-ours.js'
import { askStunnel, withServer } from './judge-stunnel.js'
import { createKeyPool } from './key-pool.js'
import { finishSet } from './random-set.js'
import { on } from './twist.js'

const CHACHA: TlsOptions = { ciphers: 'ECDHE-RSA-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' }
const DEMANDING: TlsOptions = { requestCert: true, rejectUnauthorized: true }
type ProtocolRow = readonly [row: number, what: string, obstacle: string, leafKey: string, server: TlsOptions]

/** What keeps a pool and a server from each other, whatever the certificates: stunnel's log says nothing of certificates. */
const protocols: readonly ProtocolRow[] = [
  [46, 'an ECDSA key', 'KEY_NOT_RSA', 'p256', {}],
  [47, 'TLS 1.3 only', 'TLS_1_3_ONLY', 'rsa3072', { minVersion: 'TLSv1.3' }],
  [48, 'TLS 1.1 at most', 'TLS_TOO_OLD', 'rsa3072', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }],
  [49, 'neither of the two suites', 'NO_COMMON_SUITE', 'rsa3072', CHACHA],
  [50, 'P-256 only', 'NO_COMMON_CURVE', 'rsa3072', { ecdhCurve: 'prime256v1' }],
  [51, 'a client certificate is demanded', 'CLIENT_CERTIFICATE_DEMANDED', 'rsa3072', DEMANDING],
]

const parts = ['stunnel', 'openssl'] as const
const missing = parts.filter((part) => requirePart(part) === undefined)

describe.skipIf(missing.length > 0)('catalogue C (needs stunnel, openssl)', () => {
  const keys = createKeyPool()
  const finish = (draft: Draft): JudgedSet => {
    const set = finishSet(draft, keys, new Date())
    if (!set) throw new Error('a certificate of this row cannot be parsed')
    return set
  }

  it.each(CATALOGUE)('row %i: %s: %s', async (_row, _what, answer, draft) => {
    const set = finish(draft())
    expect(describeAnswer(await askStunnel(set))).toBe(answer)
    expect(describeAnswer(askOurs(set))).toBe(answer)
  })

  it.each(protocols)('row %i: %s: %s', async (_row, _what, obstacle, leafKey, server) => {
    const draft = draftPlain(2)
    if (leafKey !== undefined) on(leafOf(draft), { key: leafKey })
    const set = finish(draft)
    expect(describeAnswer(await askStunnel(set, server))).toBe('reset')

    const { accepted, obstacles, afterwards } = await withServer(set, server, async (port) => {
      const facts = await observeEndpoint({ host: OWN_ADDRESS, port, timeoutMs: 10_000 }, set.name)
      if (facts.state === 'silent' || facts.state === 'unreachable') throw new Error('the server does not answer')
      return checkAsPool({ bundle: set.bundle, crls: undefined, name: set.name, port, now: new Date() }, facts)
    })
    expect({ accepted, obstacles: [...obstacles, ...afterwards].map(({ code }) => code) }).toEqual({
      accepted: false,
      obstacles: [obstacle],
    })
  })
})
