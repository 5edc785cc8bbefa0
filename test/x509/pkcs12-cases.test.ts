/** PKCS#12 files from the field, as certtool, pk12util and others write them by default, read where they lie beside the repository. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { readContainers } from '../../src/x509/index.js'

const CASES = new URL('../../../shared/cases/', import.meta.url)
const FIELD = 'field/F02-pkcs12-default-rounds'
const VERDICT = 'verdict/p12-200000-iterations'

const cases: [path: string, passphrase: string, certificates: number][] = [
  [`${FIELD}/gnutls.p12`, `${FIELD}/pw`, 2],
  [`${FIELD}/nss.p12`, `${FIELD}/pw`, 3],
  [`${VERDICT}/identity.p12`, `${VERDICT}/passphrase`, 1],
]
const isThere = cases.every(([path]) => existsSync(new URL(path, CASES)))

it.skipIf(!isThere).each(cases)('%s opens: its certificate and the key of it', (path, passphraseFile, count) => {
  const passphrase = readFileSync(new URL(passphraseFile, CASES), 'utf8').trim()
  const { certificates, keys } = readContainers([{ file: path, bytes: readFileSync(new URL(path, CASES)) }], passphrase)
  expect([certificates.length, keys.length]).toEqual([count, 1])
  const key = keys[0]?.key.open(passphrase)
  expect(certificates.some(({ certificate }) => key && certificate.checkPrivateKey(key))).toBe(true)
})
