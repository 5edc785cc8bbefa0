// `npm test` and `npm run test:long`: makes sure of the real programs the tests run against, builds what is shipped, and runs the
// tests: those that take long (tagged so, vitest.config.ts) with `--long`, all others without.
// On Debian as root missing packages are installed; elsewhere they are named, with the tests that are skipped for them.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const parts = [
  { package: 'openssl', present: () => onPath('openssl'), tests: 'certificates and handshakes compared with OpenSSL' },
  { package: 'stunnel4', present: () => onPath('stunnel'), tests: 'connections made by stunnel as pools configure it' },
  { package: 'faketime', present: () => onPath('faketime'), tests: 'a host whose clock is wrong, with stunnel' },
  {
    package: 'postgresql',
    present: () => existsSync('/usr/lib/postgresql'),
    tests: 'the store on a PostgreSQL server',
  },
  {
    package: 'openssh-server',
    present: () => onPath('/usr/sbin/sshd'),
    tests: 'certificates fetched and replaced over SSH',
  },
  { package: 'pebble', present: () => onPath('pebble'), tests: 'certificates ordered from an ACME authority' },
  { package: 'procps', present: () => onPath('ps'), tests: 'which processes are left after the demo' },
  { package: 'strace', present: () => onPath('strace'), tests: 'kills and full disks at every system call' },
  { package: 'zsh', present: () => onPath('zsh'), tests: 'completion in zsh, and Tab pressed in bash and zsh' },
  { package: 'bsdutils', present: () => onPath('script'), tests: 'questions and Ctrl-C at a terminal' },
  { package: 'rrdtool', present: () => onPath('rrdtool'), tests: "archives of the lab's hosts read by rrdtool" },
  { package: 'fish', present: () => onPath('fish'), tests: 'completion in fish' },
]

let missing = parts.filter((part) => !part.present())
if (missing.length > 0 && onPath('apt-get') && process.getuid?.() === 0) {
  const packages = missing.map((part) => part.package)
  console.log(`installing ${packages.join(', ')} for the tests`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env })
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  })
  missing = parts.filter((part) => !part.present())
}
for (const part of missing)
  console.log(`${part.package} is missing; skipped: ${part.tests} (apt-get install ${part.package})`)

run(process.execPath, ['scripts/build.mjs'])
const args = process.argv.slice(2)
const isLong = args[0] === '--long'
const filter = `--tags-filter=${isLong ? 'long' : '!long'}`
run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', filter, ...(isLong ? args.slice(1) : args)])

function onPath(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

function run(program, args) {
  const { status } = spawnSync(program, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
