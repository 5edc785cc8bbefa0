/** `wlb status`: what this appliance is, whether it runs, and which pools it serves. */
import { readStatus, type Status } from '../appliance/index.js'
import { daysFrom, EXIT, printJson, renderFacts, renderTable } from './print.js'

/** Exits 1 when the appliance does not run. */
export async function status(root: string, json: boolean): Promise<void> {
  const found = await readStatus(root)
  if (json) printJson(found)
  else process.stdout.write(`${describe(found, new Date())}\n`)
  if (found.listener.state === 'stopped') process.exitCode = EXIT.no
}

function describe(found: Status, now: Date): string {
  const { hostname, listener, identity, database, pools } = found
  const where = `${listener.address} port ${listener.port}`
  const facts = renderFacts([
    ['host name', hostname],
    [
      'listener',
      listener.state === 'running'
        ? `running on ${where} since ${listener.startedAt}, pid ${listener.pid}`
        : `stopped (${where})`,
    ],
    [
      'certificate',
      `${identity.subject}, until ${identity.notAfter.toISOString()} (${daysFrom(now, identity.notAfter)})`,
    ],
    ['SHA-256', identity.fingerprintSha256],
    ['served', describeServed(found)],
    ['database', database],
  ])
  return [facts, '', describePools(pools), '', nextStep(found)].join('\n')
}

function describeServed({ listener, identity }: Status): string {
  if (listener.state === 'stopped') return 'nothing'
  return listener.fingerprintSha256 === identity.fingerprintSha256
    ? 'the same'
    : `ANOTHER one: ${listener.fingerprintSha256}`
}

function describePools(pools: Status['pools']): string {
  if (pools === null) return 'Which pools are registered, only the running appliance knows.'
  if (pools.length === 0) return 'No pool is registered.'
  const rows = pools.map(({ uuid, coordinatorAddress, hosts, username, registeredAt }) => [
    uuid,
    coordinatorAddress,
    String(hosts),
    username,
    registeredAt,
  ])
  return renderTable(['pool', 'coordinator', 'hosts', 'logs in as', 'registered'], rows)
}

function nextStep({ root, listener, identity, pools, hostname }: Status): string {
  if (listener.state === 'stopped') return `Start it:  wlb --root ${root} serve`
  if (pools?.length === 0)
    return `Connect a pool:  xe pool-initialize-wlb wlb_url=${hostname}:${listener.port} wlb_username=... wlb_password=... xenserver_username=root xenserver_password=...`
  if (identity.selfSigned)
    return 'The certificate is self-signed, a placeholder: for more than a test, use one that an authority has signed.'
  return 'Look closer:  wlb cert show'
}
