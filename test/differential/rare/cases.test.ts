/** Cases that lie beside the repository: what is served, what a host trusts, and what OpenSSL and stunnel said of it. */
import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadHostStore, readPemBlocks, validate } from '../../../src/x509/index.js'

const FOLDER = new URL('../../../../shared/cases/verdict/', import.meta.url)
const expectation = z.object({ name: z.string(), accepted: z.boolean(), opensslNumber: z.number(), reason: z.string() })

const names = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter((name) => existsSync(new URL(`${name}/served.pem`, FOLDER)))
  : []

describe.skipIf(names.length === 0)('cases of verdicts (needs them beside the repository)', () => {
  it.each(names)('%s', (name) => {
    const file = (path: string) => readFileSync(new URL(`${name}/${path}`, FOLDER))
    const expected = expectation.parse(JSON.parse(file('expected.json').toString()))
    const presented = readPemBlocks(file('served.pem').toString()).map(({ der }) => new X509Certificate(der))
    const hasLists = existsSync(new URL(`${name}/crls.pem`, FOLDER))
    const store = loadHostStore(file('bundle.pem'), hasLists ? [file('crls.pem')] : undefined)
    if (store.state === 'unusable') throw new Error(store.why)
    const { accepted, opensslNumber, reason } = validate({
      presented,
      anchors: store.anchors,
      crls: store.crls,
      name: expected.name,
      now: new Date(),
    })
    expect({ accepted, opensslNumber, reason }).toEqual({
      accepted: expected.accepted,
      opensslNumber: expected.opensslNumber,
      reason: expected.reason,
    })
  })
})
