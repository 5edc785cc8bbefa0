/** Full TLS handshakes a second: the appliance against `openssl s_server` with the same certificate, client and cipher. */
import { execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../test/free-port.js'
import { type BenchAppliance, median, stop } from './appliance.js'
import { listening } from './listening.js'
import { rounds } from './rounds.js'
import type { Row } from './row.js'

const SECONDS = rounds(2)
const ROUNDS = rounds(3)

export async function handshakes(appliance: BenchAppliance): Promise<Row[]> {
  const port = await freePort()
  const peer = spawn(
    'openssl',
    [
      's_server',
      '-accept',
      `127.0.0.1:${port}`,
      '-cert',
      appliance.certificate,
      '-key',
      appliance.key,
      '-quiet',
      '-no_ticket',
    ],
    { stdio: 'ignore' },
  )
  try {
    await listening(port)
    return (['secp384r1', 'X25519'] as const).map((group) => {
      const ours: number[] = []
      const theirs: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(perSecond(appliance, appliance.port, group))
        theirs.push(perSecond(appliance, port, group))
      }
      const [a, b] = [median(ours), median(theirs)]
      return {
        what: `TLS 1.2 handshakes, ${group}`,
        ours: `${a.toFixed(0)}/s`,
        peer: `${b.toFixed(0)}/s s_server`,
        ratio: (a / b).toFixed(2),
        limit: 'the key exchange and the RSA signature, one core',
      }
    })
  } finally {
    await stop(peer)
  }
}

/** `openssl s_time` opens one new session after the other; its groups come from a configuration file. */
function perSecond(appliance: BenchAppliance, port: number, group: string): number {
  const configuration = join(appliance.folder, `${group}.cnf`)
  writeFileSync(
    configuration,
    `openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = limits\n[limits]\nGroups = ${group}\n`,
  )
  const args = [
    's_time',
    '-connect',
    `127.0.0.1:${port}`,
    '-new',
    '-time',
    String(SECONDS),
    '-cipher',
    'ECDHE-RSA-AES256-GCM-SHA384',
    '-tls1_2',
  ]
  const printed = execFileSync('openssl', args, {
    env: { ...process.env, OPENSSL_CONF: configuration },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [, connections, seconds] = /(\d+) connections in (\d+) real seconds/.exec(printed) ?? []
  return Number(connections) / Number(seconds)
}
