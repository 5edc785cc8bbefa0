/**
 * An appliance that is not ours: a folder, its certificate and key as everybody keeps them, a real stunnel that serves them;
 * behind it nothing, or whatever speaks TLS on a port.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from '../../src/config/index.js'
import { probeServed } from '../../src/tls/index.js'
import { cacheForFile } from '../file-cache.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { type Issued, issue } from '../x509/test-authority.js'

export const NAME = 'wlb.example.lab'

export interface ManagedAppliance {
  readonly root: string
  readonly place: ReturnType<typeof paths>
  readonly port: number
  readonly restartCommand: string
  /** The same without a pause, and in a fraction of the time. */
  readonly reloadCommand: string
  /** Puts a pair in place by hand, and serves it. */
  serve(pair: Issued): void
  /** SHA-256 of what is served now. */
  served(): Promise<string>
  /** The names in the folder of certificates. */
  files(): string[]
  stop(): void
}

const leaves = cacheForFile<string, Promise<Issued>>()

/** A leaf that a pool that has it, or its root, accepts. Made once for each label. */
export function leafFor(label: string, issuer?: Issued): Promise<Issued> {
  const spec = { subject: NAME, dnsNames: [NAME], keyLabel: label, extendedKeyUsage: ['serverAuth'] } as const
  const made = leaves.get(label) ?? issue({ ...spec, ...(issuer && { issuer }) })
  leaves.set(label, made)
  return made
}

/** With others it computes parameters for seconds after each start. */
const CIPHERS = 'ciphers = ECDHE+AESGCM'

export async function makeAppliance(folder: string, stunnel: string, behind?: number): Promise<ManagedAppliance> {
  const root = join(folder, 'an appliance')
  const place = paths(root)
  const [port, plain] = [await freePort(), behind === undefined ? 9 : await freePort()]
  const [configuration, pid] = [join(folder, 'stunnel.conf'), join(folder, 'stunnel.pid')]
  mkdirSync(place.certificateFolder, { recursive: true })
  const settings = [
    `pid = ${pid}`,
    `output = ${join(folder, 'stunnel.log')}`,
    '[wlb]',
    `accept = ${OWN_ADDRESS}:${port}`,
    `connect = ${OWN_ADDRESS}:${plain}`,
    `cert = ${place.certificate}`,
    `key = ${place.key}`,
    CIPHERS,
    ...(behind === undefined
      ? []
      : [
          '[service]',
          'client = yes',
          `accept = ${OWN_ADDRESS}:${plain}`,
          `connect = ${OWN_ADDRESS}:${behind}`,
          CIPHERS,
        ]),
  ]
  writeFileSync(configuration, `${settings.join('\n')}\n`)
  // as `killall stunnel; stunnel`, for this one alone
  const restartCommand = `kill "$(cat ${pid})"; ${stunnel} ${configuration}`
  const reloadCommand = `kill -HUP "$(cat ${pid})"`
  const stop = () => {
    if (existsSync(pid))
      execFileSync('sh', ['-c', `p=$(cat ${pid}); kill $p; while kill -0 $p; do sleep 0.05; done`], QUIET)
  }
  return {
    root,
    place,
    port,
    restartCommand,
    reloadCommand,
    serve: ({ certificatePem, privateKeyPem }) => {
      writeFileSync(place.certificate, certificatePem)
      writeFileSync(place.key, privateKeyPem, { mode: 0o600 })
      execFileSync('sh', ['-c', existsSync(pid) ? reloadCommand : `${stunnel} ${configuration}`], QUIET)
    },
    served: async () => {
      const seen = await probeServed({ address: OWN_ADDRESS, port, timeoutMs: 10_000 })
      return seen.state === 'served' ? seen.fingerprintSha256 : seen.why
    },
    files: () => readdirSync(place.certificateFolder).sort(),
    stop,
  }
}

const QUIET = { stdio: 'ignore' } as const

/** What lies in place and what was kept, in words: `new` where both files are the new pair's. */
export function pairIn(certificate: string, key: string, known: Readonly<Record<string, Issued>>): string {
  if (!existsSync(certificate) || !existsSync(key)) return 'none'
  const [certificatePem, keyPem] = [certificate, key].map((file) => readFileSync(file, 'utf8'))
  const found = Object.entries(known).find(([, one]) => certificatePem?.startsWith(one.certificatePem))
  return found && keyPem === found[1].privateKeyPem ? found[0] : 'others'
}
