/** Another certificate for an appliance that a pool uses: the commands name the pools that would refuse it, and the default is no. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, it, test } from 'vitest'
import { type Ended, run } from '../cli/program.js'
import { wlbAtTerminal } from '../cli/terminal.js'
import { requirePart } from '../real-parts.js'
import { HOSTNAME, makeAuthority, readPair, type TestAuthority, useTrustStage } from './stage.js'

const stage = useTrustStage('node')
const hasTerminal = requirePart('script') !== undefined
let selfSigned: readonly [certificatePem: string, privateKeyPem: string]
let authority: TestAuthority
const file = (name: string) => join(stage.folder, name)

beforeAll(async () => {
  selfSigned = readPair(stage.appliance)
  authority = await makeAuthority()
  writeFileSync(file('chain.pem'), authority.chainPem)
  writeFileSync(file('leaf.key'), authority.leaf.privateKeyPem)
})
/** The self-signed certificate of the set-up, registered with and trusted by every host. */
beforeEach(async () => {
  await stage.serve(...selfSigned)
  await stage.reset({ verifies: false, connectedTo: HOSTNAME })
  expect(await stage.apply()).toMatch(/ all accepted host \| done$/)
})

const INSTALL = () => ['install', file('chain.pem'), '--key', file('leaf.key')]

function wlb(...words: readonly string[]): Promise<Ended> {
  return run('wlb', ['--root', stage.appliance.root, 'cert', ...words])
}
const isUnchanged = () => readPair(stage.appliance)[0] === selfSigned[0]

const REFUSES = 'self-signed certificate in certificate chain'
type Before = () => Promise<unknown>
const nothing: Before = async () => {}
const trustsRoot: Before = () =>
  stage.pool.call('xs1', 'pool.install_ca_certificate', 'root.pem', authority.root.certificatePem)
const rows: [
  given: string,
  before: Before,
  words: () => readonly string[],
  exit: number,
  outlook: string,
  why: string,
][] = [
  ['an authority nobody trusts, --yes', nothing, INSTALL, 1, 'refuses', REFUSES],
  ['an authority nobody trusts, --yes --anyway', nothing, () => [...INSTALL(), '--anyway'], 0, 'refuses', REFUSES],
  ['verification off', () => stage.verify(false), INSTALL, 0, 'not verifying', 'its verification is off'],
  ['the root installed before', trustsRoot, INSTALL, 0, 'accepts', ''],
  ['self-signed anew', nothing, () => ['self-signed'], 1, 'refuses', 'self-signed certificate'],
]

it.each(rows)('%s', async (_, before, words, exitCode, outlook, why) => {
  await before()
  const planned = await wlb(...words(), '--dry-run', '--json')
  expect(JSON.parse(planned.stdout)).toMatchObject({ pools: [{ outlook, why: expect.stringContaining(why) }] })
  const ended = await wlb(...words(), '--yes')
  expect(ended, ended.stderr).toMatchObject({ exitCode })
  expect(isUnchanged()).toBe(exitCode !== 0)
  if (exitCode === 0) return
  expect(ended.stderr).toMatch(/\[POOLS_WOULD_REFUSE\][\s\S]*missing: --anyway\n {2}try: wlb --root \S+ trust renew/)
})

test('gone back to: the pair that the pool trusts without a question, the other one not', async () => {
  await wlb(...INSTALL(), '--yes', '--anyway')
  expect(await wlb('rollback', '--yes')).toMatchObject({ exitCode: 0 })
  expect(isUnchanged()).toBe(true)
  const forth = await wlb('rollback', '--yes')
  expect(forth).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[POOLS_WOULD_REFUSE]') })
  expect(isUnchanged()).toBe(true)
})

it.skipIf(!hasTerminal)('at a terminal Enter alone means no, and the way without a gap stands above', async () => {
  const terminal = wlbAtTerminal(['--root', stage.appliance.root, 'cert', ...INSTALL()], {})
  await terminal.shown('REFUSES it')
  await terminal.shown('wlb --root')
  await terminal.shown('trust renew')
  await terminal.shown('Install this certificate')
  terminal.press('\r')
  expect(await terminal.ended).toMatch(/wlb: nothing was changed\s+exit 130/)
  expect(isUnchanged()).toBe(true)
})

test('what is proposed is what works: `wlb trust renew` with the same words', async () => {
  writeFileSync(file('pw'), `${stage.pool.document.password}\n`)
  const { stderr } = await wlb(...INSTALL(), '--yes')
  const [, proposed = ''] = /try: wlb (.*) --password-file FILE$/m.exec(stderr) ?? []
  const trust = ['--pool-insecure', '--password-file', file('pw'), '--yes']
  const renewed = await run('wlb', [...proposed.replaceAll("'", '').split(' '), ...trust])
  expect(renewed, renewed.stderr).toMatchObject({ exitCode: 0 })
  expect(await stage.verdicts()).toBe('accepted accepted accepted')
  expect(stage.certificate().issuer).toContain('Example Issuing')
})

test('undo says that a certificate which came after the run stays', async () => {
  writeFileSync(file('pw'), `${stage.pool.document.password}\n`)
  await wlb(...INSTALL(), '--yes', '--anyway')
  const { address, tlsPort } = stage.pool.host('xs1')
  const access = ['--pool', `https://${address}:${tlsPort}`, '--pool-insecure', '--password-file', file('pw'), '--yes']
  const env = { XDG_CONFIG_HOME: stage.configHome }
  const undone = await run('wlb', ['--root', stage.appliance.root, 'trust', 'undo', ...access], env)
  expect(undone, undone.stderr).toMatchObject({ exitCode: 0 })
  expect(undone.stdout).toContain('The pool is as it was before.\nThe certificate of the appliance stays: ')
  expect(undone.stdout).toContain('(install), not by that run')
})

test('the appliance is stopped: its pools are asked all the same', async () => {
  await stage.appliance.close()
  const ended = await wlb(...INSTALL(), '--yes')
  expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[POOLS_WOULD_REFUSE]') })
  expect(ended.stderr).toContain(REFUSES)
  expect(isUnchanged()).toBe(true)
})
