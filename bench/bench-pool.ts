/** A lab's pool that knows the appliance of the benchmark, and `wlb` called on it as an operator would. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LabDocument, type LabUpOptions, labDown, labUp } from '../src/lab/index.js'
import { withPool } from '../src/xapi/index.js'
import { type BenchAppliance, PROGRAM } from './appliance.js'

const NAME = 'wlb.bench.internal'

export interface BenchPool {
  readonly document: LabDocument
  readonly url: string
  readonly passwordFile: string
  close(): Promise<void>
}

/** `root` is made, and stays. */
export async function openBenchPool(
  root: string,
  hosts: number,
  guests: Pick<LabUpOptions, 'vms' | 'seed' | 'speed'> = {},
): Promise<BenchPool> {
  const hostProgram = join(PROGRAM, '../lab-host.js')
  const { document } = await labUp({
    root,
    hosts,
    ...guests,
    hostProgram,
    addHosts: [{ name: NAME, address: '127.0.0.1' }],
  })
  const [coordinator] = document.hosts
  if (!coordinator) throw new Error('a pool without hosts')
  const passwordFile = join(root, 'password')
  writeFileSync(passwordFile, `${document.password}\n`, { mode: 0o600 })
  return {
    document,
    url: `https://${coordinator.address}:${coordinator.tlsPort}`,
    passwordFile,
    close: async () => void (await labDown(root)),
  }
}

/** Connected, its certificate installed, verification on: by the pool's own calls. */
export async function connectPool({ document }: BenchPool, appliance: BenchAppliance): Promise<void> {
  const [coordinator] = document.hosts
  if (!coordinator) throw new Error('the lab has no hosts')
  const { address, tlsPort } = coordinator
  const { username: userName, password } = document
  const trust = { kind: 'none' } as const
  await withPool({ address, port: tlsPort, userName, password, trust, timeoutMs: 60_000 }, async (session) => {
    const [pool = ''] = Object.values(await session.call('pool.get_all')).map(String)
    const pem = readFileSync(appliance.certificate, 'utf8')
    await session.call('pool.install_ca_certificate', 'wlb.pem', pem)
    const url = `${NAME}:${appliance.port}`
    await session.call('pool.set_wlb_verify_cert', pool, true)
    await session.call('pool.initialize_wlb', url, 'wlbuser', 'bench', userName, password)
  })
}

/** How long a whole process took. @throws Error where it did not end with 0 */
export async function timeWlb(args: readonly string[], configFolder: string): Promise<number> {
  const startedMs = performance.now()
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, XDG_CONFIG_HOME: configFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let told = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (told += piece))
  const [exitCode] = await once(child, 'close')
  if (exitCode !== 0) throw new Error(`wlb ${args.join(' ')} ended with ${exitCode}: ${told}`)
  return performance.now() - startedMs
}
