/** A name that no host can have: one answer from `wlb setup`, `cert request`, `cert self-signed`, `cert acme` and `ca sign`. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requirePart } from '../real-parts.js'
import { configureOnly } from '../server/test-appliance.js'
import { makeFolder, removeFolder } from './program.js'
import { runHere } from './run-here.js'

const FIELDS = '--country CA --state Alberta --locality Calgary --organization Example --email a@example.com'.split(' ')
const openssl = requirePart('openssl')
describe.skipIf(!openssl)('a name that no host can have (needs openssl)', () => {
  const root = makeFolder()
  const at = (name: string) => join(root, name)
  afterAll(() => removeFolder(root))
  beforeAll(async () => {
    writeFileSync(at('pw'), 'correct horse\n')
    await configureOnly(root)
    await runHere(['ca', 'create', '--dir', at('ca'), '--passphrase-file', at('pw'), '--yes'], root)
    execFileSync('openssl', ['genrsa', '-out', at('key'), '2048'], { stdio: 'ignore' })
  })

  const names: [name: string, answer: string][] = [
    ['w_lb.example.com', 'has an underscore, which no host name has (RFC 952): letters, digits and hyphens only'],
    ['wlb.bücher.example', 'is wlb.xn--bcher-kva.example in certificates and in the DNS: write it so'],
    ['wlb-.example.com', 'is not a host name: letters, digits and inner hyphens, at most 63 between dots (RFC 952)'],
  ]
  it.each(names)('%s %s', async (name, answer) => {
    const request = ['req', '-new', '-utf8', '-key', at('key'), '-subj', `/CN=${name}`, '-out', at('csr')]
    execFileSync('openssl', request, { stdio: 'ignore' })
    const acme = ['--directory', 'https://127.0.0.1:1/', '--email', 'a@example.com']
    const calls = [
      ['setup', '--root', at('new'), '--hostname', name, '--password-file', at('pw'), '--yes'],
      ['cert', 'request', '--root', root, ...FIELDS, '--san', name, '--yes'],
      ['cert', 'self-signed', '--root', root, '--hostname', name, '--yes'],
      ['cert', 'acme', '--root', root, ...acme, '--name', 'wlb.lab.internal', '--name', name, '--yes'],
      ['ca', 'sign', at('csr'), '--dir', at('ca'), '--passphrase-file', at('pw'), '--yes'],
    ]
    for (const call of calls) expect((await runHere(call, root)).stderr, call.join(' ')).toContain(answer)
  })
})
