/**
 * What depends on the release of Node and the OpenSSL inside it (certificates, handshakes, the service, the store) is tested on the
 * oldest and the newest release that package.json promises. Each comes from npm, into the folder of the run.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { requireRunFolder } from './run-folder.js'

const RELEASES = ['20.19.0', '26.10.0']
const SUITES = ['test/base/tls-reason.test.ts', 'test/x509', 'test/tls', 'test/wlb', 'test/store', 'test/server']
const project = join(import.meta.dirname, '..')
const MINUTE_MS = 60_000

test('the oldest of them is the one that package.json promises', () => {
  expect(readFileSync(join(project, 'package.json'), 'utf8')).toContain('"node": ">=20.19"')
  expect(RELEASES[0]).toBe('20.19.0')
})

test.for(RELEASES)('on Node %s', { tags: 'long', timeout: 25 * MINUTE_MS }, async (release, { skip }) => {
  const node = await fetchNode(release)
  if (node === undefined) return skip(`Node ${release} cannot be had from npm here`)
  expect(await run(node, ['-p', 'process.versions.node'], project)).toEqual({ exitCode: 0, output: `${release}\n` })
  const args = ['run', ...SUITES, '--tags-filter=!long', '--reporter=dot', '--no-color']
  const { exitCode, output } = await run(node, ['node_modules/vitest/vitest.mjs', ...args], project)
  expect(exitCode, output).toBe(0)
})

/** The program; undefined where npm has none for this machine, and where it cannot be asked. With CI=true that is an error. */
async function fetchNode(release: string): Promise<string | undefined> {
  const folder = join(requireRunFolder('programs'), `node-${release}`)
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-package-lock', `node@${release}`]
  const { exitCode, output } = await run('npm', args, requireRunFolder('programs'))
  if (exitCode === 0) return join(folder, 'node_modules/node/bin/node')
  if (process.env.CI === 'true') throw new Error(`no Node ${release}, and with CI=true nothing is skipped: ${output}`)
  return undefined
}

/** As a run of its own: with its own folder and address, and a deadline. */
async function run(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<{ exitCode: number; output: string }> {
  const { OPENWLB_TEST_FOLDER: _folder, OPENWLB_TEST_ADDRESS: _address, VITEST: _inside, ...env } = process.env
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 12 * MINUTE_MS })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      output = (output + piece).slice(-20_000)
    })
  }
  const [exitCode]: (number | null)[] = await once(child, 'close')
  return { exitCode: exitCode ?? -1, output }
}
