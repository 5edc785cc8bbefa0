/** `wlb demo`: from an appliance and a pool without any connection to one that every host verifies, step by step. */

import { visibleText } from '../base/text/printable.js'
import type { LabDocument } from '../lab/index.js'
import type { DemoFlags } from './commands.js'
import { certificateFromAuthority } from './demo/authority-steps.js'
import { balancedPool } from './demo/balance-steps.js'
import { renewalUnderLoad } from './demo/renewal-steps.js'
import { holdFreePort, openStage, type Stage } from './demo/stage.js'
import { type Cast, type Step, verifiedConnection } from './demo/steps.js'
import { fail } from './errors.js'
import { verdictOf } from './lab/lab.js'
import { EXIT, printJson, renderTable } from './terminal/print.js'

const HOST_NAME = 'wlb.lab.internal'
const ADDRESS = '127.0.0.1'
const WANTED_PORT = 8012
const SHOWN_LINES = 4

interface Told {
  readonly command: string
  readonly ok: boolean
  readonly said: string
}

/** Exits 0 when every step did what it says and every host verifies; `program` is the path of `wlb` itself. */
export async function demo(program: string, options: DemoFlags): Promise<void> {
  process.exitCode = await present(program, options)
}

async function present(program: string, options: DemoFlags): Promise<number> {
  const screen = options.json ? process.stderr : process.stdout
  const interrupted = hearEnd(screen)
  const stage = await openStage(program)
  let stopping = false
  const say = (text: string) => void (stopping || screen.write(visibleText(`${text}\n`)))
  try {
    const ended = await Promise.race([play(stage, options, say), interrupted])
    if (!ended) return EXIT.interrupted
    if (options.json) printJson(ended.document)
    if (!options.once) {
      say(farewell(stage, ended.coordinator))
      await interrupted
    }
    const { verified, steps } = ended.document
    return verified && steps.every(({ ok }) => ok) ? EXIT.done : EXIT.no
  } finally {
    say('stopping the pool and the appliance')
    stopping = true // the output of the current step is no longer printed
    await stage.close()
  }
}

/**
 * Ctrl-C, a closed terminal, or a closed pipe. The handlers stay until the end: npm passes on a Ctrl-C that the terminal has
 * already delivered, and the second one must not interrupt the cleaning up.
 */
function hearEnd(screen: NodeJS.WriteStream): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(undefined))
    screen.on('error', () => resolve(undefined))
  })
}

async function play(stage: Stage, options: DemoFlags, say: (text: string) => void) {
  say('An appliance and a pool of three hosts, strangers to each other.\n')
  const told: Told[] = []
  const tell: Tell = (title, prompt, command, said, proof, isWhole = false) => {
    say(`${String(told.length + 1).padStart(2)}. ${title}`)
    say(`    ${prompt} ${command}`)
    for (const line of isWhole ? said.trimEnd().split('\n') : shorten(said)) say(`    ${line}`)
    say(proof === undefined ? '    FAILED: this is not what the step promises\n' : `    => ${proof}\n`)
    told.push({ command, ok: proof !== undefined, said: said.trim() })
  }

  const { port, release } = await holdFreePort(ADDRESS, WANTED_PORT)
  const setup = [
    'setup',
    '--hostname',
    HOST_NAME,
    '--address',
    ADDRESS,
    '--port',
    String(port),
    '--username',
    'wlbuser',
    '--password-file',
    stage.passwordFile,
    '--yes',
  ]
  const labUp = [
    'lab',
    'up',
    '--hosts',
    '3',
    '--tls-client',
    options.tlsClient,
    '--add-host',
    `${HOST_NAME}=${ADDRESS}`,
    '--json',
  ]
  const poolComes = stage.wlb(...labUp)

  const made = await stage.wlb(...setup)
  tell(
    'Set up an appliance: the wizard makes a self-signed certificate',
    '$',
    `wlb ${setup.join(' ')}`,
    made.stdout + made.stderr,
    made.exitCode === 0 ? 'certificate, key and configuration are in place' : undefined,
  )
  await release()
  const ready = await stage.serve()
  tell('Start it', '$', 'wlb serve', ready, ready.startsWith('ready https://') ? 'it listens, with TLS' : undefined)
  const pool = await poolComes
  const lab = readLab(pool.stdout, pool.stderr)
  tell(
    'Bring up a pool of three hosts, each a process of its own',
    '$',
    `wlb ${labUp.slice(0, -1).join(' ')}`,
    lab.hosts.map(({ name, role, address, pid }) => `${name}  ${role}  ${address}  pid ${pid}`).join('\n'),
    lab.hosts.length === 3 ? `pool ${lab.pool}` : undefined,
  )

  const cast: Cast = {
    stage,
    hostName: HOST_NAME,
    address: ADDRESS,
    port,
    pool: lab.pool,
    poolUser: lab.username,
    poolPassword: lab.password,
    hosts: lab.hosts,
  }
  for (const step of verifiedConnection(cast)) await perform(step, tell)
  say('Now with a certificate that an authority has signed.\n')
  for (const step of certificateFromAuthority(cast)) await perform(step, tell)

  say('And its renewal, years later, under a client that never stops.\n')
  const now = (await readStatus(stage)).hosts.find(({ role }) => role === 'coordinator')
  if (now) for (const step of await renewalUnderLoad(cast, now)) await perform(step, tell)

  say('And what a pool gets from it: advice.\n')
  for (const step of balancedPool(stage)) await perform(step, tell)

  const after = await readStatus(stage)
  const hosts = after.hosts.map(({ name, role, certificates, wlb }) => ({
    name,
    role,
    installed: certificates.join(', ') || 'none',
    verdict: verdictOf(wlb),
  }))
  say(
    renderTable(
      ['host', 'role', 'certificate installed', 'verdict of its handshake'],
      hosts.map(({ name, role, installed, verdict }) => [name, role, installed, verdict]),
    ),
  )
  const verified = hosts.length === 3 && hosts.every(({ verdict }) => verdict === 'verified')
  const document = { steps: told, hosts: hosts.map(({ role, ...rest }) => rest), verified }
  return { document, coordinator: after.hosts.find(({ role }) => role === 'coordinator') }
}

type Tell = (
  title: string,
  prompt: string,
  command: string,
  said: string,
  proof: string | undefined,
  isWhole?: boolean,
) => void

async function perform(step: Step, tell: Tell): Promise<void> {
  const outcome = await step.run()
  const said = outcome.stdout + outcome.stderr
  const { show } = step
  const lines = said.split('\n').filter((line) => !show || show.some((text) => line.includes(text)))
  tell(step.title, step.prompt, step.command, lines.join('\n') || said, step.proves(outcome), step.isWhole)
}

/** Each host connects to the appliance itself, with its own trust store. */
async function readStatus(stage: Stage): Promise<LabDocument> {
  const { stdout, stderr } = await stage.wlb('lab', 'status', '--json')
  return readLab(stdout, stderr)
}

function readLab(stdout: string, stderr: string): LabDocument {
  try {
    const document: LabDocument & { error?: unknown } = JSON.parse(stdout)
    if (document.error === undefined) return document
  } catch {
    // reported below, with the command's output
  }
  throw fail('DEMO_LAB_NOT_READY', { said: stderr.trim() || stdout.trim() })
}

function shorten(said: string): string[] {
  const lines = said.split('\n').filter((line) => line.trim() !== '')
  if (lines.length <= SHOWN_LINES + 1) return lines
  return [...lines.slice(0, SHOWN_LINES), `... ${lines.length - SHOWN_LINES} more lines`]
}

function farewell({ root }: Stage, coordinator: LabDocument['hosts'][number] | undefined): string {
  return [
    '',
    'Everything stays up until Ctrl-C. To try things by hand, in a second terminal:',
    `  npx wlb --root ${root} lab exec xs2 -- xe pool-certificate-list`,
    `  npx wlb --root ${root} lab exec xs2 -- xe pool-retrieve-wlb-configuration`,
    `  npx wlb --root ${root} lab status`,
    `  npx wlb --root ${root} cert show`,
    `  npx xe -s ${coordinator?.address} -p ${coordinator?.tlsPort} -pwf ${root}/lab/xe-password pool-list`,
  ].join('\n')
}
