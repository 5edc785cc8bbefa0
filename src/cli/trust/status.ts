/** `wlb trust status`: one line a host. */
import { type Connection, type HostVerdict, judgeHosts, observe, proveHosts } from '../../trust/index.js'
import { EXIT, printJson, renderFacts, renderTable } from '../print.js'
import type { PoolFlags } from '../words/pool-options.js'
import { remember, withPoolSession } from './open-pool.js'

export interface StatusFlags extends PoolFlags {
  readonly json?: boolean
}

export async function trustStatus(root: string, flags: StatusFlags): Promise<void> {
  const { connection, verdicts } = await withPoolSession(flags, async (session, choice) => {
    const { appliance } = choice
    const seen = await observe(session, { applianceRoot: root, now: new Date(), ...(appliance && { appliance }) })
    await remember(flags, session, choice, seen.pool)
    return { connection: seen, verdicts: judgeHosts(seen, await proveHosts(session, seen)) }
  })
  if (flags.json) printJson(documentOf(connection, verdicts))
  else process.stdout.write(`${describe(connection, verdicts)}\n`)
  if (verdicts.some(({ verdict }) => verdict === 'refused') || !connection.pool.verifies) process.exitCode = EXIT.no
  else if (verdicts.some(({ verdict }) => verdict === 'unknown')) process.exitCode = EXIT.usage
}

function describe({ pool, hosts, installed, crls, appliance }: Connection, verdicts: readonly HostVerdict[]): string {
  const rows = hosts.map(({ name, role, live, clockOffsetMs }, index) => [
    name,
    live ? role : `${role}, down`,
    clockOffsetMs === undefined ? '-' : `${(clockOffsetMs / 1000).toFixed(0)} s`,
    describeVerdict(verdicts[index]),
  ])
  return [
    renderFacts([
      ['pool', `${pool.name} (${pool.uuid})`],
      ['connected to', pool.wlbUrl || 'nothing'],
      ['verification', pool.verifies ? 'on' : 'OFF: anybody could answer'],
      ['installed', installed.map(({ name }) => name).join(', ') || 'nothing'],
      ['CRLs', crls?.join(', ') || 'none'],
      ['appliance', `${appliance.name}, ${appliance.endpoint.state}`],
    ]),
    '',
    renderTable(['host', 'role', 'clock', 'verdict'], rows),
  ].join('\n')
}

function describeVerdict(verdict: HostVerdict | undefined): string {
  if (!verdict) return '-'
  const error = verdict.error.length > 0 ? ` ${verdict.error[0]} ${verdict.error.slice(1).join(' ')}` : ''
  return `${verdict.verdict}${error}${verdict.proof === 'host' ? ', said by the host' : `, predicted: ${verdict.why}`}`
}

function documentOf({ pool, hosts, installed, crls, appliance }: Connection, verdicts: readonly HostVerdict[]): object {
  return {
    pool: { uuid: pool.uuid, name: pool.name, wlbUrl: pool.wlbUrl, verifies: pool.verifies },
    appliance: { host: appliance.host, port: appliance.port, name: appliance.name, state: appliance.endpoint.state },
    installed,
    crls: crls ?? null,
    hosts: hosts.map(({ name, uuid, role, live, clockOffsetMs }, index) => {
      const { verdict, proof, error, why } = verdicts[index] ?? {
        verdict: 'unknown',
        proof: 'predicted',
        error: [],
        why: '',
      }
      return { name, uuid, role, live, clockOffsetMs: clockOffsetMs ?? null, verdict, proof, error, why }
    }),
  }
}
