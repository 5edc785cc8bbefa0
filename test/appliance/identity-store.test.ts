/** Certificate and key change together or not at all, wherever a kill falls. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { findIdentity, installIdentity, readIdentity, settleIdentity } from '../../src/appliance/identity-store.js'
import { paths } from '../../src/appliance/paths.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-identity-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const place = paths(folder)
const OLD = { certificatePem: 'old certificate\n', privateKeyPem: 'old key\n' }
const NEW = { certificatePem: 'new certificate\n', privateKeyPem: 'new key\n' }

beforeEach(() => rmSync(place.certificateFolder, { recursive: true, force: true }))

test('a pair is installed over another one, the key for its owner alone, and nothing is left beside it', async () => {
  expect(findIdentity(place)).toBe('none')
  await installIdentity(place, OLD)
  await installIdentity(place, NEW)
  expect(await readIdentity(place)).toEqual(NEW)
  expect(readdirSync(place.certificateFolder).sort()).toEqual(['server.key', 'server.pem'])
  expect(statSync(place.key).mode & 0o777).toBe(0o600)
  expect(statSync(place.certificate).mode & 0o777).toBe(0o644)
})

test('half a pair is named', async () => {
  await installIdentity(place, OLD)
  rmSync(place.key)
  expect(findIdentity(place)).toBe('certificate')
  await expect(readIdentity(place)).rejects.toMatchObject({
    code: 'IDENTITY_INCOMPLETE',
    facts: { missing: place.key },
  })
})

describe('killed', () => {
  const staging = join(place.certificateFolder, '.server.staging')
  const next = join(place.certificateFolder, '.server.next')
  const write = (at: string, files: Record<string, string>) => {
    mkdirSync(at, { recursive: true })
    for (const [name, content] of Object.entries(files)) writeFileSync(join(at, name), content)
  }
  const key = { 'server.key': NEW.privateKeyPem }
  const both = { ...key, 'server.pem': NEW.certificatePem }
  const cases: [when: string, leave: () => void, outcome: typeof OLD][] = [
    ['before anything was written', () => write(staging, {}), OLD],
    ['while the key was written', () => write(staging, { '.server.key.1a2b': 'new' }), OLD],
    ['after the key', () => write(staging, key), OLD],
    ['after both, before the decision', () => write(staging, both), OLD],
    ['after the decision', () => write(next, both), NEW],
    [
      'between the two',
      () => {
        write(next, { 'server.pem': NEW.certificatePem })
        writeFileSync(place.key, NEW.privateKeyPem)
      },
      NEW,
    ],
    [
      'after both were in place',
      () => {
        write(next, {})
        writeFileSync(place.key, NEW.privateKeyPem)
        writeFileSync(place.certificate, NEW.certificatePem)
      },
      NEW,
    ],
  ]
  test.each(cases)('%s', async (_when, leave, outcome) => {
    await installIdentity(place, OLD)
    leave()
    await settleIdentity(place)
    expect(await readIdentity(place)).toEqual(outcome)
    expect(readdirSync(place.certificateFolder).sort()).toEqual(['server.key', 'server.pem'])
    await settleIdentity(place)
    expect(await readIdentity(place)).toEqual(outcome)
  })

  test('kill -9 while pairs are installed one after the other: what is found fits together', async () => {
    const program = `
      import { installIdentity } from './src/appliance/identity-store.ts'
      import { paths } from './src/appliance/paths.ts'
      for (let count = 0; ; count++) {
        await installIdentity(paths(process.argv[1]), { certificatePem: 'c' + count, privateKeyPem: 'k' + count })
        process.stdout.write('.')
      }`
    for (const installed of [1, 2, 3]) {
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program, folder], {
        cwd: join(import.meta.dirname, '../..'),
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let dots = 0
      for await (const piece of child.stdout) {
        dots += piece.length
        if (dots >= installed * 5) child.kill('SIGKILL')
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      expect(dots).toBeGreaterThanOrEqual(installed * 5)
      await settleIdentity(place)
      const { certificatePem, privateKeyPem } = await readIdentity(place)
      expect(certificatePem.slice(1)).toBe(privateKeyPem.slice(1))
      expect(Number(certificatePem.slice(1))).toBeGreaterThanOrEqual(dots - 1)
    }
  })
})

describe('a folder that cannot be written', () => {
  test.skipIf(process.getuid?.() !== 0)(
    'as another user: said so, nothing changed (root: gives up its rights)',
    async () => {
      await installIdentity(place, OLD)
      chmodSync(folder, 0o755)
      process.seteuid?.('nobody')
      try {
        await expect(installIdentity(place, NEW)).rejects.toMatchObject({ code: 'PATH_NOT_PERMITTED' })
      } finally {
        process.seteuid?.(0)
      }
      expect(await readIdentity(place)).toEqual(OLD)
      expect(existsSync(join(place.certificateFolder, '.server.staging'))).toBe(false)
    },
  )

  test('a file where the folder belongs', async () => {
    const inTheWay = paths(join(folder, 'occupied'))
    mkdirSync(join(folder, 'occupied/etc/ssl'), { recursive: true })
    writeFileSync(join(folder, 'occupied/etc/ssl/certs'), '')
    await expect(installIdentity(inTheWay, NEW)).rejects.toMatchObject({ code: 'PATH_OCCUPIED' })
  })
})
