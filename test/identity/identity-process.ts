/** One change of the identity in a folder, as a command makes it, in a process that can be killed at any system call. */
import { readFileSync } from 'node:fs'
import { WlbError } from '../../src/base/error.js'
import { paths } from '../../src/config/index.js'
import { installIdentity, lockedIdentity } from '../../src/identity/store/identity-change.js'
import { findRollback } from '../../src/identity/store/kept-identities.js'

const [root = '', certificate, key] = process.argv.slice(2)
const now = new Date('2026-03-01T00:00:00Z')
try {
  const place = paths(root)
  const { identity } =
    certificate !== undefined && key !== undefined
      ? { identity: { certificatePem: readFileSync(certificate, 'utf8'), privateKeyPem: readFileSync(key, 'utf8') } }
      : await findRollback(root)
  const how = certificate === undefined ? 'rollback' : 'install'
  await lockedIdentity(place, () => installIdentity(place, identity, { how, now }))
  process.stdout.write('done\n')
} catch (error) {
  if (!(error instanceof WlbError)) throw error
  process.stdout.write(`${error.code}\n`)
  process.exitCode = 1
}
