/** A kill or a full disk at every system call of signing and revoking: what was handed out is recorded, and work goes on. */
import { X509Certificate } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { X509Crl } from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSmallAuthority, reportAuthority, revokeCertificate, signRequest } from '../../src/authority/index.js'
import { encodePem } from '../../src/x509/index.js'
import { mayTrace, type Program, recordCalls, spoilCall } from '../identity/system-calls.js'
import { requirePart } from '../real-parts.js'
import { TEST_NOW } from '../x509/test-authority.js'
import { makeRequest } from '../x509/test-request.js'

const strace = requirePart('strace') ?? ''
const canTrace = strace !== '' && mayTrace(strace)
if (!canTrace && process.env.CI === 'true')
  throw new Error('strace may not trace here, and with CI=true nothing is skipped')

const base = mkdtempSync(join(tmpdir(), 'openwlb-ca-faults-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))
const inBase = (name: string) => join(base, name)
const [template, csr, secret] = [inBase('template'), inBase('csr'), inBase('passphrase')]
const known = { passphrase: 'correct horse', now: TEST_NOW }
let request: Buffer
let first: string

beforeAll(async () => {
  if (!canTrace) return
  writeFileSync(steady, STEADY_NAMES)
  request = await makeRequest({ subject: 'CN=wlb.example.lab' })
  writeFileSync(csr, encodePem('CERTIFICATE REQUEST', request))
  writeFileSync(secret, `${known.passphrase}\n`)
  await createSmallAuthority({ folder: template, withIntermediate: true, keyBits: 2048, ...known })
  const { issued } = await signRequest({ folder: template, request, allow: [], ...known })
  first = issued.serialNumber
})

/** The files that are handed out say nothing the record does not know; left-overs are only what was never finished. */
async function inspect(folder: string): Promise<void> {
  const { issued } = await reportAuthority(folder)
  const serials = issued.map(({ serialNumber }) => serialNumber)
  expect(serials[0]).toBe(first)
  const signed = new X509Certificate(readFileSync(join(folder, 'signed_cert.pem')))
  expect(serials).toContain(signed.serialNumber)
  if (existsSync(join(folder, 'crl.pem'))) {
    const list = new X509Crl(readFileSync(join(folder, 'crl.pem'), 'utf8'))
    const revoked = issued.filter((one) => one.revoked).map(({ serialNumber }) => serialNumber.toLowerCase())
    expect(revoked).toEqual(expect.arrayContaining(list.entries.map(({ serialNumber }) => serialNumber)))
  }
  await signRequest({ folder, request, allow: [], ...known })
  await revokeCertificate({ folder, serialNumber: first, reason: 'unspecified', ...known })
}

const wlb = join(import.meta.dirname, '../../dist/wlb.js')
/** Temporary files with the same names each time, because strace tells the calls apart by their paths. */
const STEADY_NAMES = `
  import crypto from 'node:crypto'
  import { syncBuiltinESMExports } from 'node:module'
  const { randomBytes } = crypto
  let count = 0
  crypto.randomBytes = (size) => (size === 6 ? Buffer.alloc(6, ++count) : randomBytes(size))
  syncBuiltinESMExports()`
const steady = inBase('steady-names.mjs')
const acts: [what: string, args: () => string[]][] = [
  ['sign', () => ['sign', csr]],
  ['revoke', () => ['revoke', first]],
]
const extents = [
  { title: 'every sixth system call', every: 6, tags: [] },
  { title: 'every system call', every: 1, tags: ['long'] },
]
describe.skipIf(!canTrace).each(extents)('spoiled at $title', { timeout: 300_000 }, ({ every, tags }) => {
  test.concurrent.each(acts)('%s', { tags }, async (what, args) => {
    const folder = inBase(`${what}-${every}`)
    const common = ['--dir', folder, '--passphrase-file', secret, '--yes']
    const program: Program = { strace, folder, args: ['--import', steady, wlb, 'ca', ...args(), ...common] }
    const afresh = () => {
      rmSync(folder, { recursive: true, force: true })
      cpSync(template, folder, { recursive: true })
    }
    afresh()
    const calls = recordCalls(program)
    expect(calls.length).toBeGreaterThan(8)
    for (const call of calls.filter((_, index) => index % every === 0)) {
      afresh()
      await spoilCall(program, call, 'signal=SIGKILL')
      await inspect(folder)
      if (call.name !== 'write') continue
      afresh()
      const full = await spoilCall(program, call, 'error=ENOSPC')
      expect(full.exitCode, call.text).toBe(1)
      expect(
        readdirSync(folder).filter((name) => name.startsWith('.')),
        call.text,
      ).toEqual([])
      await inspect(folder)
    }
  })
})
