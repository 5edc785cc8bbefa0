/** A kill, a full disk, a faulty disk at every system call of a change: the pair works afterwards, and so does what is kept. */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { paths } from '../../src/config/index.js'
import { installIdentity, settleIdentity } from '../../src/identity/store/identity-change.js'
import { isUsable, readIdentity, readOriginal } from '../../src/identity/store/identity-files.js'
import { identityId } from '../../src/identity/store/identity-history.js'
import { listIdentities } from '../../src/identity/store/kept-identities.js'
import { createSelfSigned, type Identity } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { configureOnly } from '../server/test-appliance.js'
import { mayTrace, type Program, recordCalls, type Spoiled, type SystemCall, spoilCall } from './system-calls.js'

const strace = requirePart('strace') ?? ''
const canTrace = strace !== '' && mayTrace(strace)
if (!canTrace && process.env.CI === 'true')
  throw new Error('strace may not trace here, and with CI=true nothing is skipped')

const base = mkdtempSync(join(tmpdir(), 'openwlb-faults-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))
const program = join(base, 'identity-process.mjs')
const [certificate, key] = [join(base, 'next.pem'), join(base, 'next.key')]
/** `first` was replaced by `hand`, which somebody put there without us; `next` is to replace it. */
const pairs: Record<'first' | 'hand' | 'next', Identity> = { first: blank(), hand: blank(), next: blank() }
const template = join(base, 'template')

function blank(): Identity {
  return { certificatePem: '', privateKeyPem: '' }
}

beforeAll(async () => {
  if (!canTrace) return
  for (const name of ['first', 'hand', 'next'] as const)
    pairs[name] = await createSelfSigned({ hostname: `${name}.example.com`, addresses: [], now: new Date() })
  writeFileSync(certificate, pairs.next.certificatePem)
  writeFileSync(key, pairs.next.privateKeyPem)
  buildSync({
    entryPoints: [join(import.meta.dirname, 'identity-process.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@peculiar/x509', 'reflect-metadata'], // loaded when a certificate is made, and none is
  })
  const place = paths(template)
  await configureOnly(template)
  await installIdentity(place, pairs.first, { how: 'setup', now: new Date('2026-01-01') })
  await installIdentity(place, pairs.hand, { how: 'install', now: new Date('2026-02-01') })
  rmSync(join(place.identities, identityId(pairs.hand)), { recursive: true })
})

/** What a command finds and leaves: `old` or `new`, proven to be whole. */
async function inspect(folder: string, change: Change): Promise<'old' | 'new'> {
  const place = paths(folder)
  const unsettled = await readIdentity(place)
  await settleIdentity(place)
  const pair = await readIdentity(place)
  expect(pair, 'what is read before is what is in place afterwards').toEqual(unsettled)
  expect(isUsable(pair)).toBe(true)
  const isNew = identityId(pair) === identityId(pairs[change.after])
  expect(identityId(pair)).toBe(identityId(pairs[isNew ? change.after : 'hand']))

  const original = await readOriginal(place)
  expect(original && identityId(original)).toBe(identityId(pairs[isNew ? 'hand' : 'first']))
  const kept = await listIdentities(folder)
  expect(kept.find(({ isInPlace }) => isInPlace)?.how).toBe(isNew ? change.how : 'found')
  const ids = kept.map(({ id }) => id)
  const expected = [pairs.first, pairs.hand, ...(isNew ? [pairs[change.after]] : [])].map(identityId)
  expect(ids.sort()).toEqual([...new Set(expected)].sort())
  for (const id of ids.filter((id) => id !== identityId(pair)))
    expect(isUsable(await readIdentity({ ...place, ...filesIn(join(place.identities, id)) }))).toBe(true)
  const names = [...readdirSync(place.certificateFolder), ...readdirSync(place.identities)]
  expect(names.filter((name) => name.startsWith('.'))).toEqual([])
  return isNew ? 'new' : 'old'
}

function filesIn(folder: string): { certificate: string; key: string } {
  return { certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }
}

interface Change {
  readonly args: readonly string[]
  readonly after: 'next' | 'first'
  readonly how: string
}
const changes: Record<'install' | 'rollback', Change> = {
  install: { args: [certificate, key], after: 'next', how: 'install' },
  rollback: { args: [], after: 'first', how: 'rollback' },
}

/** Two at a time, each in a folder of its own. */
async function spoilEach(
  change: Change,
  effect: string,
  choose: (calls: readonly SystemCall[]) => readonly SystemCall[],
  check: (folder: string, call: SystemCall, index: number, ended: Spoiled) => Promise<void>,
): Promise<number> {
  let count = 0
  const lane = async (rest: number) => {
    const folder = join(base, `lane${rest}`)
    const restore = () => {
      rmSync(folder, { recursive: true, force: true })
      cpSync(template, folder, { recursive: true, preserveTimestamps: true })
    }
    const traced: Program = { strace, args: [program, folder, ...change.args], folder }
    restore()
    const calls = recordCalls(traced)
    expect(await inspect(folder, change)).toBe('new')
    for (const [turn, call] of choose(calls).entries()) {
      if (turn % 2 !== rest) continue
      restore()
      await check(folder, call, calls.indexOf(call), await spoilCall(traced, call, effect))
      count++
    }
  }
  await Promise.all([lane(0), lane(1)])
  return count
}

const extents = [
  { title: 'every eighth system call', every: 8, tags: [] },
  { title: 'every system call', every: 1, tags: ['long'] },
]

describe.skipIf(!canTrace).each(extents)('at $title', ({ every, tags }) => {
  /** Every nth of all, and always the first and the last. */
  const sample = (calls: readonly SystemCall[]) =>
    calls.filter((_, index) => index % every === 0 || index === calls.length - 1)

  test.each(['install', 'rollback'] as const)(
    'kill -9 during %s: the pair is the old one or the new one, and works',
    { tags, timeout: 120_000 },
    async (name) => {
      const change = changes[name]
      let decision = -1
      const choose = (calls: readonly SystemCall[]) => {
        decision = calls.findIndex(({ text }) => /\.server\.staging".*\.server\.next"/.test(text))
        return sample(calls)
      }
      const count = await spoilEach(change, 'signal=SIGKILL', choose, async (folder, call, index) => {
        const where = `${call.name} ${call.ordinal}: ${call.text}`
        const found = await inspect(folder, change)
        if (index !== decision) expect(found, where).toBe(index < decision ? 'old' : 'new')
      })

      expect(count).toBeGreaterThan(50 / every)
    },
  )

  const WRITES = /^(write|pwrite64|openat|mkdir|rename)$/
  const errors: [error: string, spoiled: RegExp, code: string][] = [
    ['ENOSPC', WRITES, 'DISK_FULL'],
    ['EIO', /^(write|fsync|rename|rmdir|chmod|fchmod)$/, 'DISK_FAULTY'],
  ]
  test.each(errors)(
    '%s during install: said so with everything as it was, or done',
    { tags, timeout: 120_000 },
    async (error, spoiled, code) => {
      const outcomes = new Set<string>()
      const some = (calls: readonly SystemCall[]) => sample(calls.filter(({ name }) => spoiled.test(name)))
      const count = await spoilEach(changes.install, `error=${error}`, some, async (folder, call, _index, ended) => {
        const where = `${call.name} ${call.ordinal}: ${call.text}`
        const place = paths(folder)
        const names = [...readdirSync(place.certificateFolder), ...readdirSync(place.identities)]
        expect(
          names.filter((name) => name.startsWith('.')),
          where,
        ).toEqual([])
        const found = await inspect(folder, changes.install)
        expect(`${ended.stdout} ${ended.exitCode} ${found}`, where).toBe(
          found === 'new' ? 'done 0 new' : `${code} 1 old`,
        )
        outcomes.add(found)
      })

      expect(count).toBeGreaterThan(30 / every)
      expect([...outcomes].sort()).toEqual(['new', 'old'])
    },
  )
})
