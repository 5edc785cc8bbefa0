/**
 * An appliance that was set up and started by its commands, a lab connected to it, and shells to paste into: one on the appliance's
 * machine, one on the coordinator. `ssh` and `scp` are stood in for, since a lab's hosts have no SSH server: they lead to the host with
 * that address, and to the appliance's own files.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type Ended, makeFolder, type Running, removeFolder, run, runUntilReady } from '../cli/program.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'

const dist = join(import.meta.dirname, '../../dist')
const HOSTNAME = 'wlb.lab.internal'
const WLB_PASSWORD = 'not a word'
const COORDINATOR = 'xs1'

interface Found {
  readonly row: number
  readonly severity: string
  readonly remedy: string
}

export interface PasteStage {
  readonly root: string
  /** Where commands are typed, on either side. */
  readonly desk: string
  wlb(...words: readonly string[]): Promise<Ended>
  /** What the doctor finds, looking from outside. */
  examine(): Promise<readonly Found[]>
  /** Types the line where it belongs: commands of ours on the appliance, all others on the coordinator. */
  paste(remedy: string): Promise<Ended>
  /** Takes back the fault, and what was installed in the pool because of it. */
  mendAll(): Promise<void>
}

interface LabDocument {
  readonly password: string
  readonly hosts: readonly { readonly name: string; readonly address: string; readonly tlsPort: number }[]
}

export function usePasteStage(): PasteStage {
  const folder = makeFolder()
  const root = join(folder, 'appliance')
  const bin = join(folder, 'bin')
  const desk = join(folder, 'desk')
  const env = { WLB_ROOT: root, XDG_CONFIG_HOME: join(folder, 'config'), PATH: `${bin}:${process.env.PATH}` }
  const file = (name: string) => join(folder, name)
  const wlb = (...words: readonly string[]) => run('wlb', words, env)
  const answers: Record<string, string> = {}
  let serving: Running
  let names: readonly string[] = []

  beforeAll(async () => {
    for (const name of [bin, desk]) mkdirSync(name)
    writeFileSync(file('wlb-password'), WLB_PASSWORD)
    const port = String(await freePort())
    const where = ['--hostname', HOSTNAME, '--address', OWN_ADDRESS, '--port', port]
    await expectDone(wlb('setup', ...where, '--password-file', file('wlb-password'), '--yes'))
    serving = await runUntilReady(['serve'], env)
    const up = await expectDone(wlb('lab', 'up', '--add-host', `${HOSTNAME}=${OWN_ADDRESS}`, '--json'))
    const { hosts, password }: LabDocument = JSON.parse(up.stdout)
    const [first] = hosts
    if (!first) throw new Error('a lab has a host')
    writeFileSync(file('pool-password'), password)
    Object.assign(answers, { WLB_PASSWORD, POOL_PASSWORD: password })
    writePrograms(bin, root, hosts)
    const fingerprint = /seen: (\S+)/.exec((await wlb('trust', 'status', ...poolWords(first))).stderr)?.[1] ?? ''
    await expectDone(
      wlb(
        ...['trust', 'apply', '--goal', 'self-signed', ...poolWords(first), '--pool-fingerprint', fingerprint],
        ...['--appliance', `${OWN_ADDRESS}:${port}`, '--name', HOSTNAME],
        ...['--wlb-username', 'wlbuser', '--wlb-password-file', file('wlb-password'), '--yes'],
      ),
    )
    for (const name of ['wlb_timeout', 'wlb_reports_timeout'])
      await onHost(`xe pool-param-set uuid=$(xe pool-list --minimal) other-config:${name}=3`)
    await expectDone(onHost('xe pool-param-set uuid=$(xe pool-list --minimal) wlb-enabled=true'))
    names = readdirSync(join(root, 'lab', COORDINATOR, 'etc/stunnel/certs'))
  }, 120_000)
  afterAll(async () => {
    await wlb('lab', 'fault', 'clear')
    await wlb('lab', 'down')
    await serving?.stop()
    removeFolder(folder)
  })

  const poolWords = ({ address, tlsPort }: LabDocument['hosts'][number]) => [
    ...['--pool', `https://${address}:${tlsPort}`, '--password-file', file('pool-password')],
  ]
  const here = (line: string) => shell(line, desk, env)
  const onHost = (line: string) => wlbIn(desk, env, ['lab', 'exec', COORDINATOR, '--', 'sh', '-c', line])
  return {
    root,
    desk,
    wlb,
    examine: async () => {
      const { stdout, stderr } = await wlb('doctor', '--pool', 'lab', '--json')
      if (stdout === '') throw new Error(stderr)
      const { findings }: { findings: readonly Found[] } = JSON.parse(stdout)
      return findings
    },
    mendAll: async () => {
      await expectDone(wlb('lab', 'fault', 'clear'))
      const installed = readdirSync(join(root, 'lab', COORDINATOR, 'etc/stunnel/certs'))
      const added = installed.filter((name) => !names.includes(name))
      for (const name of added) await onHost(`xe pool-uninstall-ca-certificate name=${name}`)
      const lists = readdirSync(join(root, 'lab', COORDINATOR, 'etc/stunnel/crls'))
      for (const name of lists) await onHost(`xe pool-crl-uninstall name=${name}`)
      if (added.length + lists.length > 0) await expectDone(onHost('xe pool-certificate-sync'))
      for (const name of readdirSync(desk)) rmSync(join(desk, name))
    },
    paste(remedy) {
      const typed = fill(remedy, answers)
      if (/^(wlb|sed|cat|chmod|kill) /.test(typed)) return here(typed.replaceAll(/(wlb (trust|cert) \w+)/g, '$1 --yes'))
      return onHost(typed.replaceAll(/(?<= )\/etc\/stunnel\//g, `${root}/lab/${COORDINATOR}/etc/stunnel/`))
    },
  }
}

function fill(remedy: string, { WLB_PASSWORD: wlb = '', POOL_PASSWORD: pool = '' }: Readonly<Record<string, string>>) {
  return remedy
    .replace('wlb_username=USER wlb_password=PASSWORD', `wlb_username=wlbuser wlb_password='${wlb}'`)
    .replace(
      'xenserver_username=USER xenserver_password=PASSWORD',
      `xenserver_username=root xenserver_password='${pool}'`,
    )
}

function writePrograms(bin: string, root: string, hosts: LabDocument['hosts']): void {
  const node = `exec '${process.execPath}' --liftoff-only '${join(dist, 'wlb.js')}'`
  const cases = hosts.map(({ name, address }) => `*@${address}) host=${name};;`).join(' ')
  const programs = {
    wlb: `${node} "$@"`,
    ssh: `case "$1" in ${cases} *) exit 255;; esac; shift; ${node} lab exec "$host" -- sh -c "$*"`,
    scp: `cp "${root}/\${1#*:}" "$2"`,
  }
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(bin, name), 0o755)
  }
}

async function expectDone(ending: Promise<Ended>): Promise<Ended> {
  const ended = await ending
  if (ended.exitCode !== 0) throw new Error(ended.stderr || ended.stdout)
  return ended
}

function wlbIn(folder: string, env: NodeJS.ProcessEnv, words: readonly string[]): Promise<Ended> {
  return run('wlb', words, env, folder)
}

async function shell(line: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const child = spawn('sh', ['-c', line], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece
  })
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece
  })
  const [exitCode]: (number | null)[] = await once(child, 'close')
  return { stdout, stderr, exitCode: exitCode ?? null }
}
