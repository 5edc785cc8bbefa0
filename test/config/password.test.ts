/** How a password is kept. */
import { expect, test } from 'vitest'
import { hashPassword, isPasswordHash, verifyPassword } from '../../src/config/password.js'

test('its hash verifies it and nothing else, and is another one each time', async () => {
  const [hash, other] = [await hashPassword('geheim'), await hashPassword('geheim')]
  expect(hash).not.toBe(other)
  expect(hash).toMatch(/^scrypt\$32768\$8\$1\$/)
  expect(await verifyPassword('geheim', hash)).toBe(true)
  expect(await verifyPassword('geheim ', hash)).toBe(false)
})

test.each([
  '',
  'plain',
  'scrypt$1$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAA',
  'scrypt$32767$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
])('%j is no hash', async (text) => {
  expect(isPasswordHash(text)).toBe(false)
  expect(await verifyPassword('', text)).toBe(false)
})
