/** `wlb trust status`: one line a host, and above it what they all depend on. */
import {
  type Connection,
  compareDisks,
  compareStores,
  type HostVerdict,
  judgeHosts,
  observe,
  proveHosts,
  readKnownCertificates,
} from '../../trust/index.js'
import { explainRefusal } from '../../xapi/index.js'
import { CouldNotTell, EXIT, printJson } from '../print.js'
import type { PoolFlags } from '../words/pool-options.js'
import type { HostSshFlags } from '../words/ssh-options.js'
import { diskDocument } from './disk-text.js'
import { chooseReadStores, type ReadStores } from './host-stores.js'
import { remember, withPoolSession } from './open-pool.js'
import { describeStatus } from './status-text.js'

export interface StatusFlags extends PoolFlags, HostSshFlags {
  readonly json?: boolean
}

/** Exits 0 when every host verifies, 1 when one does not or the pool does not ask them to, 2 when nobody can tell. */
export async function trustStatus(root: string, flags: StatusFlags): Promise<void> {
  const now = new Date()
  const readStores = await chooseReadStores(flags)
  const { connection, verdicts } = await look(root, { flags, readStores }, now).catch((error: unknown) => {
    throw new CouldNotTell('the pool could not be looked at', { cause: explainRefusal(error, 'trust status') })
  })
  if (flags.json) printJson(documentOf(connection, verdicts))
  else process.stdout.write(`${describeStatus(connection, verdicts, now)}\n`)
  process.exitCode = exitCodeOf(connection, verdicts)
}

interface Asked {
  readonly flags: StatusFlags
  readonly readStores: ReadStores | undefined
}

function look(root: string, { flags, readStores }: Asked, now: Date) {
  return withPoolSession(flags, async (session, choice) => {
    const { appliance } = choice
    const known = await readKnownCertificates()
    const connection = await observe(session, {
      ...{ applianceRoot: root, known, now },
      ...(appliance && { appliance }),
      ...(readStores && { readStores }),
    })
    await remember(flags, session, choice, connection.pool)
    return { connection, verdicts: judgeHosts(connection, await proveHosts(session, connection)) }
  })
}

export function exitCodeOf({ pool }: Connection, verdicts: readonly HostVerdict[]): number {
  if (!pool.verifies || verdicts.some(({ verdict }) => verdict === 'refused')) return EXIT.no
  return verdicts.every(({ verdict }) => verdict === 'accepted') ? EXIT.done : EXIT.usage
}

/** Field names are a contract with scripts (docs/status.md). */
export function documentOf(connection: Connection, verdicts: readonly HostVerdict[]): object {
  const { pool, hosts, installed, crls, appliance } = connection
  const stores = compareStores(connection, verdicts)
  const disks = compareDisks(connection)
  return {
    ok: exitCodeOf(connection, verdicts) === EXIT.done,
    pool: { uuid: pool.uuid, name: pool.name, wlbUrl: pool.wlbUrl, enabled: pool.wlbEnabled, verifies: pool.verifies },
    appliance: {
      host: appliance.host,
      port: appliance.port,
      name: appliance.name,
      state: appliance.endpoint.state,
      fingerprintSha256:
        ('certificates' in appliance.endpoint && appliance.endpoint.certificates[0]?.fingerprint256) || null,
      resolvedHere: appliance.resolved,
      clockOffsetMs: appliance.clockOffsetMs ?? null,
    },
    installed: installed.map(({ name, fingerprintSha256, notBefore, notAfter }) => ({
      name,
      fingerprintSha256,
      notBefore: notBefore ?? null,
      notAfter: notAfter ?? null,
    })),
    crls: crls ?? null,
    hosts: hosts.map(({ name, uuid, address, role, live, clockOffsetMs }, index) => {
      const verdict = verdicts[index]
      const disk = disks?.[index]
      return {
        ...{ name, uuid, address, role, live },
        store: stores[index],
        clockOffsetMs: clockOffsetMs ?? null,
        verdict: verdict?.verdict,
        proof: verdict?.proof,
        error: verdict?.error,
        why: verdict?.why,
        ...(disk && { disk: diskDocument(disk) }),
      }
    }),
  }
}
