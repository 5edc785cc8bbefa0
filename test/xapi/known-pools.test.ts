/** A list of known pools that cannot be used is kept: its remedy looks at it, or moves it aside. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readKnownPools } from '../../src/xapi/pool/known-pools.js'

const cases: [what: string, make: (path: string) => void, remedy: RegExp][] = [
  ['no JSON', (path) => writeFileSync(path, '{"pools":'), /^mv (\S+) \1\.unreadable$/],
  ['JSON of another form', (path) => writeFileSync(path, '[]'), /^mv (\S+) \1\.unreadable$/],
  ['what the system does not let us read', (path) => mkdirSync(path), /^ls -l \S+$/],
]
test.each(cases)('%s', async (_what, make, remedy) => {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-known-'))
  make(join(folder, 'pools.json'))
  const failure = await readKnownPools(folder).catch((error: unknown) => error)
  rmSync(folder, { recursive: true })
  expect(failure).toMatchObject({ code: 'KNOWN_POOLS_UNREADABLE', remedy: expect.stringMatching(remedy) })
})
