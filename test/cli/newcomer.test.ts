/** What a newcomer does first: the demo, with either TLS client, and the README's own commands, word by word. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { freePort } from '../free-port.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { makeFolder, removeFolder, run } from './program.js'

interface Document {
  readonly steps: readonly { readonly command: string; readonly ok: boolean; readonly said: string }[]
  readonly hosts: readonly { readonly name: string; readonly installed: string; readonly verdict: string }[]
  readonly verified: boolean
}

test('wlb demo --once --json with our own client', { tags: 'long', timeout: 90_000 }, async () => {
  const { stdout, exitCode } = await run('wlb', ['demo', '--once', '--json'])
  const document: Document = JSON.parse(stdout)
  expect(document.steps.filter(({ ok }) => !ok)).toEqual([])
  expect(document.hosts).toEqual(
    ['xs1', 'xs2', 'xs3'].map((name) => ({
      name,
      installed: expect.stringMatching(/^intermediate_ca-[0-9A-F]{8}\.pem, root_ca-[0-9A-F]{8}\.pem, wlb\.pem$/),
      verdict: 'verified',
    })),
  )
  expect(document).toMatchObject({ verified: true })
  expect(exitCode).toBe(0)
})

/** Sent at a moment of the demo, twice: npm hands on what the terminal has delivered already. Returns what was shown. */
async function interruptDemo(
  moment: string,
  ...flags: readonly string[]
): Promise<{ shown: string; exitCode: unknown }> {
  const folder = makeFolder()
  const env = { ...process.env, TMPDIR: folder }
  const child = spawn(process.execPath, [join(top, 'dist/wlb.js'), 'demo', ...flags], { env })
  let shown = ''
  child.stdout.on('data', (piece: Buffer) => {
    const before = shown.includes(moment)
    shown += piece
    if (before || !shown.includes(moment)) return
    child.kill('SIGINT')
    child.kill('SIGINT')
  })
  const [exitCode] = await once(child, 'close')
  expect(readdirSync(folder)).toEqual([])
  expect(spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout).not.toContain(folder)
  removeFolder(folder)
  return { shown, exitCode }
}

test('Ctrl-C in the middle of the demo: no process and no file is left', { timeout: 90_000 }, async () => {
  expect(await interruptDemo('strangers to each other')).toMatchObject({ exitCode: 130 })
})

test('Ctrl-C later in the demo: the same', { tags: 'long', timeout: 90_000 }, async () => {
  expect(await interruptDemo('it listens, with TLS')).toMatchObject({ exitCode: 130 })
})

describe.skipIf(!requirePart('stunnel'))('with stunnel', () => {
  const options = { tags: 'long', timeout: 90_000 }
  test('wlb demo to the end, then Ctrl-C: verified, and nothing is left', options, async () => {
    const { shown, exitCode } = await interruptDemo('Everything stays up', '--tls-client', 'stunnel')
    expect(shown.match(/ {2}verified$/gm)).toHaveLength(3)
    expect(shown).not.toContain('FAILED')
    expect(exitCode).toBe(0)
  })
})

const top = join(import.meta.dirname, '../..')
const readme = readFileSync(join(top, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'))

const npmWords = blocks.flatMap((block) => block.match(/npm (run )?[a-z]+/g) ?? [])
it.each([...new Set(npmWords)])('the README says "%s", and npm can do it', (words) => {
  const word = words.replace(/^npm (run )?/, '')
  expect(['ci', ...Object.keys(scripts)]).toContain(word)
})

test('npx finds both programs in a built clone', () => {
  const npx = (...words: string[]) => spawnSync('npx', words, { cwd: top, encoding: 'utf8' }).stdout
  expect(npx('wlb', '--version')).toMatch(/^[0-9]+\.[0-9]+\.[0-9]+\n$/)
  expect(npx('xe', '-version')).toBe('ThinCLI protocol: 0.2\n')
})

const home = makeFolder()
afterAll(() => removeFolder(home))

test('the README: first success, in the lab', { timeout: 90_000 }, async () => {
  const block = blocks.find((text) => text.includes('wlb lab up')) ?? ''
  const port = await freePort() // somebody may have an appliance on this machine
  const typed = block
    .replace('wlb setup ', `wlb setup --port ${port} `)
    .replace('wlb.lab.internal:8012', `wlb.lab.internal:${port}`)
    .replaceAll('127.0.0.1', OWN_ADDRESS)
  const bin = join(home, 'bin')
  mkdirSync(bin)
  for (const program of ['wlb', 'xe']) {
    const shim = join(bin, program)
    writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${join(top, 'dist', `${program}.js`)}' "$@"\n`)
    chmodSync(shim, 0o755)
  }
  const waits = typed.replace('&\n', '& \nuntil grep -q \'"ready"\' wlb.log; do sleep 0.1; done\n')
  const script = `set -e\n${waits}\nwlb lab down\nkill %1; wait %1 || true\n`
  const env = { ...process.env, HOME: home, PATH: `${bin}:${process.env.PATH}` }
  const ended = spawnSync('bash', ['-c', script], { cwd: home, env, encoding: 'utf8', timeout: 80_000 })
  expect(ended.stderr).not.toContain('wlb:')
  expect(ended.stdout.match(/ {2}verified$/gm)).toHaveLength(3)
  expect(ended.status).toBe(0)
})
