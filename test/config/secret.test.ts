/** What is sealed opens with the same key for the same owner, and not otherwise. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { createSecretKey, readSecretKey, seal, unseal } from '../../src/config/secret.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-secret-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const key = randomBytes(32)

test('any password, any owner', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (password, owner) => {
      const sealed = seal(password, owner, key)
      expect(unseal(sealed, owner, key)).toBe(password)
      expect(seal(password, owner, key)).not.toEqual(sealed)
    }),
  )
})

test('one bit changed anywhere: it does not open', () => {
  const sealed = seal('geheim', 'pool', key)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7))
    expect(() => unseal(changed, 'pool', key)).toThrow(expect.objectContaining({ code: 'SECRET_UNREADABLE' }))
  }
})

const others: [what: string, sealed: Buffer, owner: string, key: Buffer][] = [
  ['another owner', seal('geheim', 'pool', key), 'other', key],
  ['another key', seal('geheim', 'pool', key), 'pool', randomBytes(32)],
  ['nothing', Buffer.alloc(0), 'pool', key],
  ['cut off', seal('geheim', 'pool', key).subarray(0, 20), 'pool', key],
]
test.each(others)('%s: it does not open', (_what, sealed, owner, otherKey) => {
  expect(() => unseal(sealed, owner, otherKey)).toThrow(expect.objectContaining({ code: 'SECRET_UNREADABLE' }))
})

test('the key file is made for its owner alone', async () => {
  const path = join(folder, 'secret.key')
  await createSecretKey(path)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await readSecretKey(path)).toHaveLength(32)
})

test.each(['', 'c2hvcnQ=', 'not base64 at all'])('a key file that holds %j is refused', async (content) => {
  const path = join(folder, 'bad.key')
  writeFileSync(path, content)
  await expect(readSecretKey(path)).rejects.toMatchObject({ code: 'SECRET_KEY_UNUSABLE', facts: { file: path } })
  await expect(readSecretKey(join(folder, 'none'))).rejects.toMatchObject({ code: 'SECRET_KEY_UNUSABLE' })
})
