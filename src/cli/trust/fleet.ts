/** `wlb trust status --fleet FILE`: one line for each pool. */
import { visible } from '../../base/text/printable.js'
import {
  errorText,
  type FleetLine,
  type FleetMember,
  type FleetPool,
  fleetDocument,
  lookAtFleet,
  readFleet,
} from '../../trust/index.js'
import { describeCertificate } from '../../x509/index.js'
import { daysFrom, EXIT, printJson, printNote, printText, renderTable } from '../terminal/print.js'
import type { StatusFlags } from './commands.js'
import { choosePool } from './open-pool.js'
import { exitCodeOf } from './status.js'

const AT_ONCE = 8

/** Exits 0 when every host of every pool verifies, 1 when one does not, 2 when a pool could not be asked. */
export async function fleetStatus(
  fleet: string,
  { parallel = AT_ONCE, hosts = false, json = false }: StatusFlags,
): Promise<void> {
  const startedMs = performance.now()
  const lines = await lookAtFleet(await readFleetMembers(fleet), {
    atOnce: parallel,
    now: () => new Date(),
    onPool: ({ name }) => {
      if (performance.now() - startedMs > 1000) printNote(`${name} ...\n`)
    },
  })
  if (json) printJson(fleetDocument(lines))
  else printText(`${describeFleet(visible(lines), hosts, new Date())}\n`)
  const codes = lines.map(exitOf)
  process.exitCode = codes.includes(EXIT.no) ? EXIT.no : codes.includes(EXIT.usage) ? EXIT.usage : EXIT.done
}

/** @throws what `readFleet` throws. */
export async function readFleetMembers(fleet: string): Promise<readonly FleetMember[]> {
  return (await readFleet(fleet)).map(memberOf)
}

function memberOf({ name, url, userName, passwordFile, trust, appliance }: FleetPool) {
  const access = async () => {
    const choice = await choosePool({
      pool: url,
      username: userName,
      passwordFile,
      ...(trust === 'insecure'
        ? { poolInsecure: true }
        : 'caFile' in trust
          ? { poolCacert: trust.caFile }
          : { poolFingerprint: trust.fingerprintSha256 }),
    })
    return choice.access
  }
  return { name, access, appliance }
}

function exitOf(line: FleetLine): number {
  return line.state === 'seen' ? exitCodeOf(line.connection, line.verdicts) : EXIT.usage
}

function describeFleet(lines: readonly FleetLine[], withHosts: boolean, now: Date): string {
  const rows = lines.flatMap((line) => [describeLine(line, now), ...(withHosts ? describeHosts(line) : [])])
  const well = lines.filter((line) => exitOf(line) === EXIT.done).length
  const last =
    well === lines.length
      ? `All ${well} pools verify.`
      : `${lines.length - well} of ${lines.length} pools want a look:  wlb doctor --pool URL`
  return [renderTable(['pool', 'hosts verified', 'certificate until', 'first cause'], rows), '', last].join('\n')
}

function describeLine(line: FleetLine, now: Date): readonly string[] {
  if (line.state === 'not seen') {
    const [detail] = Object.entries(line.error.facts).filter(([name]) => name === 'why' || name === 'reason')
    return [line.name, '?', '?', `${line.error.code}: ${line.error.message}${detail ? ` (${detail[1]})` : ''}`]
  }
  const { connection, verdicts, name } = line
  const verified = connection.pool.verifies ? verdicts.filter(({ verdict }) => verdict === 'accepted').length : 0
  const { endpoint } = connection.appliance
  const [leaf] = 'certificates' in endpoint ? endpoint.certificates : []
  const until = leaf && describeCertificate(leaf).notAfter
  return [
    name,
    `${verified}/${verdicts.length}`,
    until ? `${until.toISOString().slice(0, 10)} (${daysFrom(now, until)})` : endpoint.state,
    firstCause(line),
  ]
}

function firstCause({ connection, verdicts }: Extract<FleetLine, { state: 'seen' }>): string {
  const refused = verdicts.find(({ verdict }) => verdict === 'refused')
  if (refused) return `${refused.host}: ${errorText(refused.error)}`
  if (!connection.pool.verifies) return 'verification is OFF'
  const unknown = verdicts.find(({ verdict }) => verdict === 'unknown')
  return unknown ? `${unknown.host}: ${unknown.why}` : ''
}

function describeHosts(line: FleetLine): (readonly string[])[] {
  if (line.state === 'not seen') return []
  const { name, connection, verdicts } = line
  return connection.hosts.map((host, index) => {
    const verdict = verdicts[index]
    const said = verdict ? `${verdict.verdict}${verdict.proof === 'host' ? '' : ' (predicted)'}` : '-'
    return [`  ${name}/${host.name}`, said, '', verdict && verdict.error.length > 0 ? errorText(verdict.error) : '']
  })
}
