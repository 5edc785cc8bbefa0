/** `wlb trust` as a person at a terminal meets it: the questions, the answers, and Ctrl-C in the middle. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { CTRL_C, type Terminal, wlbAtTerminal } from '../cli/terminal.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { type Fate, type PoolProxy, type Rule, startProxy } from './proxy.js'
import { HOSTNAME, useTrustStage } from './stage.js'

const stage = useTrustStage('node')
const hasTerminal = requirePart('script') !== undefined
const PASS: Rule = () => 'pass'
let proxy: PoolProxy
beforeAll(async () => {
  proxy = await startProxy(stage.pool)
  writeFileSync(join(stage.folder, 'pw'), `${stage.pool.document.password}\n`)
})
afterAll(() => proxy.close())
beforeEach(() => {
  proxy.rule = PASS
})

const ELSEWHERE = '/nonexistent'
const GOAL = `wlb.pem; verify true; ${HOSTNAME}`
const NOTHING = `-; verify false; ${HOSTNAME}`
const url = () => `https://${stage.pool.host('xs1').address}:${proxy.port}`
const env = () => ({ XDG_CONFIG_HOME: stage.configHome })

function wlb(words: readonly string[], { root = stage.appliance.root, isMet = true } = {}): Terminal {
  const pool = ['--pool', url(), ...(isMet ? ['--pool-insecure'] : []), '--password-file', join(stage.folder, 'pw')]
  const appliance = ['--appliance', `${OWN_ADDRESS}:${stage.appliance.port}`]
  return wlbAtTerminal(['--root', root, 'trust', ...words, ...pool, ...appliance], env())
}
const apply = () => wlb(['apply', '--goal', 'self-signed'])

async function answer(terminal: Terminal, question: string, keys: string): Promise<void> {
  await terminal.shown(question)
  terminal.press(keys)
}

/** Ctrl-C when the pool gets its n-th request of that method; the pool answers once it was heard. */
function interruptAt(
  method: string,
  terminal: Terminal,
  nth = 1,
  fate: () => Fate | Promise<Fate> = () => 'pass',
): void {
  let count = 0
  proxy.rule = async ({ method: asked }) => {
    if (asked !== method || ++count !== nth) return 'pass'
    terminal.press(CTRL_C)
    await terminal.shown('wlb: stopping')
    return fate()
  }
}

/** Types what the screen says to type, and says yes. */
async function goOn(screen: string): Promise<string> {
  const [, typed = ''] = /Go on:\s+wlb (.+)$/m.exec(screen) ?? []
  const terminal = wlbAtTerminal(typed.split(' '), env())
  await answer(terminal, ' lab?', 'y')
  return terminal.ended
}

async function onScreen(name: string, screen: string): Promise<void> {
  const words: [string, string][] = [
    [await stage.uuid(), 'POOL-UUID'],
    [stage.certificate().fingerprint256, 'FINGERPRINT'],
    [url().slice('https://'.length), 'XS1'],
    [stage.pool.host('xs1').address, 'XS1-ADDRESS'],
    [`:${stage.appliance.port}`, ':PORT'],
    [stage.appliance.root, 'ROOT'],
    [stage.folder, 'FOLDER'],
    [OWN_ADDRESS, '127.0.0.1'],
  ]
  const told = words.reduce((text, [from, to]) => text.replaceAll(from, to), screen)
  await expect(told).toMatchFileSnapshot(join(import.meta.dirname, `../cli/golden/terminal/${name}.txt`))
}

describe.skipIf(!hasTerminal)('nothing installed', () => {
  beforeEach(() => stage.reset({ verifies: false, connectedTo: HOSTNAME }))

  test('pool and appliance met for the first time: both fingerprints are compared, the plan is shown, a no changes nothing', async () => {
    const terminal = wlb(['apply', '--goal', 'self-signed'], { root: ELSEWHERE, isMet: false })
    await answer(terminal, 'Is it the same there?', 'y')
    await terminal.shown('The appliance shows')
    await answer(terminal, 'Is it the same there?', 'y')
    await answer(terminal, 'Carry it out on lab?', 'n')
    const screen = await terminal.ended
    const shown = [...screen.matchAll(/[0-9A-F:]{95}/g)].map(([print]) => print)
    expect(new Set(shown.slice(1)), 'after that of the pool').toEqual(new Set([stage.certificate().fingerprint256]))
    await onScreen('first-use', screen.replace(shown[0] ?? '', 'POOL-FINGERPRINT'))
    expect(await stage.state()).toBe(NOTHING)
  })

  const unsure: [keys: string, name: string][] = [
    ['n', 'first-use-other'],
    [CTRL_C, 'first-use-left'],
  ]
  it.each(unsure)(
    'the fingerprint of the appliance is not the same, or the question is left: %j',
    async (keys, name) => {
      const terminal = wlb(['apply', '--goal', 'self-signed'], { root: ELSEWHERE })
      await answer(terminal, 'Is it the same there?', keys)
      await onScreen(name, await terminal.ended)
      expect(await stage.state()).toBe(NOTHING)
    },
  )

  test('Ctrl-C while the pool is looked at: nobody is asked, nothing is changed', async () => {
    const terminal = apply()
    interruptAt('Certificate.get_all_records', terminal)
    expect(await terminal.ended).toBe(
      '^C\nwlb: stopping before anything is changed (again: at once)\nwlb: nothing was changed\nexit 130\n',
    )
  })

  test('Ctrl-C in the middle: stops behind the step, says how to go on, and what it says to type ends in the goal', async () => {
    const terminal = apply()
    interruptAt('pool.certificate_sync', terminal)
    await answer(terminal, 'Carry it out on lab?', 'y')
    const screen = await terminal.ended
    await onScreen('apply-stopped', screen)
    expect(await stage.state()).toBe(`wlb.pem; verify false; ${HOSTNAME}`)
    await onScreen('apply-gone-on', await goOn(screen))
    expect(await stage.state()).toBe(GOAL)
  })

  test('Ctrl-C while the flag is on trial: the hosts are asked first', async () => {
    const terminal = apply()
    interruptAt('pool.set_wlb_verify_cert', terminal)
    await answer(terminal, 'Carry it out on lab?', 'y')
    const screen = await terminal.ended
    expect(screen).toMatch(
      /done {8}ask every host [\s\S]*xs3 +accepted +said by the host[\s\S]* with 5 of 6 steps [\s\S]*exit 130\n$/,
    )
    expect(await stage.apply({ resume: true, goal: undefined })).toMatch(/all accepted host \| done$/)
  })

  test('Ctrl-C twice: ends at once, the journal knows', async () => {
    const terminal = apply()
    interruptAt('pool.certificate_sync', terminal, 1, async () => {
      terminal.press(CTRL_C)
      await terminal.ended
      return 'cut' as const
    })
    await answer(terminal, 'Carry it out on lab?', 'y')
    expect(await terminal.ended).toMatch(/\^C\nexit 130\n$/)
    expect(await stage.apply({ resume: true, goal: undefined })).toMatch(/all accepted host \| done$/)
  })
})

describe.skipIf(!hasTerminal)('a pool that verifies', () => {
  const staged = () => {
    const folder = join(stage.appliance.root, 'var/lib/openwlb/staged')
    return existsSync(folder) ? readdirSync(folder) : []
  }
  beforeAll(async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    await stage.apply()
  })

  test('the question of a renewal left by Ctrl-C: the certificate that was made for it is dropped', async () => {
    const terminal = wlb(['renew'])
    await answer(terminal, 'Exchange the certificate for lab?', CTRL_C)
    expect(await terminal.ended).toMatch(/\nwlb: nothing was changed\nexit 130\n$/)
    expect(staged()).toEqual([])
  })

  /** Three hosts are asked four times: before anything, with the new anchor, with the new certificate, without the old anchor. */
  const exchanges: [at: string, nth: number, behind: string][] = [
    ['pool.certificate_install', 1, '1 of 10'],
    ['/wlb_diagnostics', 7, '6 of 10'],
  ]
  test('Ctrl-C in the middle of a renewal: every host verifies, and what it says to type ends it', {
    tags: 'long',
    timeout: 120_000,
  }, async () => {
    for (const [at, nth, behind] of exchanges) {
      const terminal = wlb(['renew'])
      interruptAt(at, terminal, nth)
      await answer(terminal, 'Exchange the certificate for lab?', 'y')
      const screen = await terminal.ended
      expect(screen).toContain(`with ${behind} steps behind it`)
      expect(screen).toMatch(/exit 130\n$/)
      expect(await stage.verdicts()).toBe('accepted accepted accepted')
      expect(await goOn(screen)).toMatch(/Every host verifies, by its own word[\s\S]*\nexit 0\n$/)
      expect(staged()).toEqual([])
    }
  })

  test('Ctrl-C in the middle of an undo: what is left is taken back by what it says to type', {
    tags: 'long',
  }, async () => {
    const terminal = wlb(['undo'])
    interruptAt('pool.install_ca_certificate', terminal)
    await answer(terminal, 'Take it back on lab?', 'y')
    const screen = await terminal.ended
    expect(screen).toMatch(/with 1 of \d steps behind it[\s\S]*exit 130\n$/)
    expect(await goOn(screen)).toMatch(/As it was before\.\nexit 0\n$/)
    expect(await stage.verdicts()).toBe('accepted accepted accepted')
  })
})
