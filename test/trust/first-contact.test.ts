/** A pool that was never met, and nobody at a terminal: the fingerprint that was seen, and what prints it on the host. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { run } from '../cli/program.js'
import { usePool } from '../lab/test-pool.js'
import { requirePart } from '../real-parts.js'

const pool = usePool({ hosts: 1, tlsClient: 'node' })
const folder = mkdtempSync(join(tmpdir(), 'openwlb-contact-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it.skipIf(!requirePart('openssl'))('both are told, they agree, and what is proposed can be pasted', async () => {
  const passwordFile = join(folder, 'pw')
  writeFileSync(passwordFile, `${pool.document.password}\n`)
  const { address, tlsPort } = pool.host('xs1')
  const asked = ['trust', 'status', '--pool', `https://${address}:${tlsPort}`, '--password-file', passwordFile]
  const env = { XDG_CONFIG_HOME: folder }
  const refused = await run('wlb', [...asked, '--json'], env)
  expect(refused.exitCode).toBe(2)
  const { error } = JSON.parse(refused.stdout)
  expect(error).toMatchObject({ code: 'USAGE_NEEDS_POOL_TRUST', facts: { pool: `${address}:${tlsPort}` } })
  const [file = '', ...rest] = error.facts.compareWith.split(', on the console')[0].split(' ').slice(3)
  const onHost = ['x509', '-in', pool.path('xs1', file), ...rest]
  const printed = execFileSync('openssl', onHost, { encoding: 'utf8' })
  expect(printed.trim().split('=')[1]).toBe(error.facts.seen)
  const words: string[] = error.remedy.replace('FILE', passwordFile).split(' ').slice(1)
  const again = await run('wlb', words, env)
  expect(again.stderr).not.toContain('USAGE_')
  expect(again.stdout + again.stderr).toContain('lab')
})
