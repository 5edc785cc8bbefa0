/**
 * The scripts in the shells themselves, with a host of the lab behind `xe`: the function bash calls, what fish would
 * offer, and Tab pressed in a bash and a zsh that sit at a terminal (zsh's own module zpty makes it).
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { usePool } from '../../lab/test-pool.js'
import { requirePart } from '../../real-parts.js'

const [zsh, fish] = [requirePart('zsh'), requirePart('fish')]
const dist = join(import.meta.dirname, '../../../dist')
const pool = usePool({ hosts: 1 })
const folder = mkdtempSync(join(tmpdir(), 'openwlb-completion-'))
const SHELL_TIMEOUT_MS = 60_000

beforeAll(() => {
  mkdirSync(join(folder, 'openwlb'))
  mkdirSync(join(folder, 'files'))
  for (const program of ['wlb', 'xe']) symlinkSync(join(dist, `${program}.js`), join(folder, program))
  writeFileSync(join(folder, 'files/a b.pem'), '')
  const known = { url: 'https://192.0.2.1', uuid: 'u', username: 'root', trust: { fingerprintSha256: 'AA' } }
  writeFileSync(join(folder, 'openwlb/pools.json'), JSON.stringify({ pools: { office: known } }))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The first host's own `xe`, no settings of whoever runs the tests. */
function runShell(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    cwd: folder,
    timeout: SHELL_TIMEOUT_MS,
    env: {
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      HOME: folder,
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      XDG_CONFIG_HOME: folder,
      WLB_ROOT: pool.root,
      XE_ROOT: pool.host('xs1').root,
      ...env,
    },
  })
  return { stdout, stderr }
}

/** Lines of a shell's answer, with the identifier of the pool by name. */
function linesOf(text: string): string[] {
  return text.replaceAll(pool.document.pool, 'POOL').trimEnd().split('\n')
}

describe('bash', () => {
  const CALLS: [pieces: string, offered: string][] = [
    ['xe pool-param-set uuid =', '[POOL ]'],
    ['xe -s nobody.invalid pool-list uuid =', ''],
    ['xe pool-certificate-install filename = files/', '[files/a\\ b.pem ]'],
    ['wlb trust status --pool o', '[office ]'],
  ]

  it('the function bash calls offers the identifier of the pool, and no word about an error', () => {
    const script = `set -u; source <(wlb completion bash)
      call() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _wlb_complete; printf '[%s]' "\${COMPREPLY[@]}"; echo; }
      ${CALLS.map(([pieces]) => `call ${pieces}`).join('\n')}
      complete -p xe wlb`
    const { stdout, stderr } = runShell('bash', ['--norc', '-c', script])
    expect(stderr).toBe('')
    expect(linesOf(stdout).map((line) => line.replace(/^\[\]$/, ''))).toEqual([
      ...CALLS.map(([, offered]) => offered),
      'complete -o nospace -F _wlb_complete xe',
      'complete -o nospace -F _wlb_complete wlb',
    ])
  })
})

const SILENT: [args: string, env?: NodeJS.ProcessEnv][] = [
  [''],
  ['--shell tcsh -- xe pool-'],
  ['--shell bash xe pool-'],
  ['--shell bash --'],
  ['--shell zsh -- vi x'],
  ['--shell fish -- xe pool-', { PATH: '/nowhere' }],
  ['--shell fish -- wlb trust status --pool ', { XDG_CONFIG_HOME: '/dev/null' }],
  ['--shell fish -- wlb pool forget ', { WLB_ROOT: '/nowhere' }],
]
it.each(SILENT)('wlb __complete %s: says nothing, whatever is wrong', (args, env = {}) => {
  const program = join(dist, 'wlb.js')
  expect(runShell(process.execPath, [program, '__complete', ...args.split(' ')], env)).toEqual({
    stdout: '',
    stderr: '',
  })
})

/** The keys pressed before Enter, and the arguments the command gets: it is a function that only shows them. */
const PRESSED: [keys: string, args: string][] = [
  ['xe pool-param-set uuid=\\t', 'pool-param-set|uuid=POOL'],
  ['xe pool-certificate-i\\t', 'pool-certificate-install'],
  ['xe pool-param-set wlb-ve\\tt\\t', 'pool-param-set|wlb-verify-cert=true'],
  ['xe pool-certificate-install filename=files/a\\t', 'pool-certificate-install|filename=files/a b.pem'],
  ['xe host-get-server-certificate host="x\\t', 'host-get-server-certificate|host=xs1'],
  ['wlb cert install fi\\ta\\t', 'cert|install|files/a b.pem'],
  ['wlb lab break stop x\\t--js\\t', 'lab|break|stop|xs1|--json'],
]

/** Starts a shell at a terminal, presses the keys of each argument, and prints what its command got. */
const TYPIST = String.raw`
zmodload zsh/zpty
zpty -b shell "$SHELL_AT_TERMINAL" || zpty shell "$SHELL_AT_TERMINAL"
zpty -w shell "$SETTING_UP"
zpty -r -m shell seen '*'$'\x02''ready*' || exit 1
for keys; do
  zpty -w -n shell "${'$'}{(g::)keys}"$'\n'
  zpty -r -m shell seen '*'$'\x02''*'$'\x03''*' || exit 1
  print -r -- "${'$'}{${'$'}{seen##*$'\x02'}%%$'\x03'*}"
done
zpty -d shell
`
/** What it was given, between two bytes that nobody types. */
const SHOWN = String.raw`show() { local IFS='|'; printf '\2%s\3\n' "$*"; }; xe() { show "$@"; }; wlb() { show "$@"; }`

describe.skipIf(!zsh)('Tab pressed', () => {
  const SHELLS: [shell: string, start: string, setUp: string][] = [
    [
      'bash',
      'bash --norc --noprofile -i',
      'bind "set enable-bracketed-paste off"; source <(command wlb completion bash)',
    ],
    [
      'zsh',
      'zsh -f -i',
      'unset zle_bracketed_paste; autoload -Uz compinit; compinit -D -u; source <(command wlb completion zsh)',
    ],
  ]
  it.each(SHELLS)('in %s the identifier of the pool is filled in, and so is the rest', (_shell, start, setUp) => {
    const { stdout, stderr } = runShell(zsh ?? '', ['-f', '-c', TYPIST, 'typist', ...PRESSED.map(([keys]) => keys)], {
      SHELL_AT_TERMINAL: start,
      SETTING_UP: String.raw`${setUp}; ${SHOWN}; printf '\2ready\n'`,
    })
    expect(stderr).toBe('')
    expect(linesOf(stdout)).toEqual(PRESSED.map(([, args]) => args))
  })
})

describe.skipIf(!fish)('fish', () => {
  const LINES: [line: string, offered: string][] = [
    ['xe pool-param-set uuid=', 'uuid=POOL\tlab'],
    ['xe pool-certificate-install filename=files/', 'filename=files/a b.pem'],
    ['xe host-get-server-certificate host="x', 'host=xs1'],
    ['xe pool-param-set wlb-verify-cert=f', 'wlb-verify-cert=false'],
    ['wlb lab exec xs1 -- xe pool-list uuid=', 'uuid=POOL\tlab'],
    ['wlb trust status --pool ', 'office\thttps://192.0.2.1'],
  ]

  it('offers the identifier of the pool, and what it means', () => {
    const asked = LINES.map(([line]) => `complete -C '${line}'`).join('; ')
    const { stdout, stderr } = runShell(fish ?? '', ['--no-config', '-c', `wlb completion fish | source; ${asked}`])
    expect(stderr).toBe('')
    expect(linesOf(stdout)).toEqual(LINES.map(([, offered]) => offered))
  })
})
