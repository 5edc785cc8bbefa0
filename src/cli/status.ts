/** `wlb status`: what this appliance is, whether it runs, and which pools it serves. */

import { visible } from '../base/text/printable.js'
import { quoteWord, shell } from '../base/text/quote-word.js'
import { paths } from '../config/index.js'
import { readStatus, type Status, servesPools } from '../identity/index.js'
import { describeDates, describeMissingNames } from './cert/show.js'
import { daysFrom, EXIT, printJson, printText, renderFacts, renderTable, toType } from './terminal/print.js'

/** Exits 1 when pools are not served, or those that verify refuse what they meet. */
export async function status(root: string, json = false): Promise<void> {
  const found = await readStatus(root)
  const now = new Date()
  if (json) printJson(found)
  else printText(`${describe(found, now)}\n`)
  if (!servesPools(found, now)) process.exitCode = EXIT.no
}

/** What is shown is escaped where it must be; the command at the end is made of what was found. */
function describe(status: Status, now: Date): string {
  const found = { ...visible(status), root: status.root } // which stands in commands only
  const { hostname, listener, connections, database, databaseTrouble, log } = found
  const where = `${listener.address} port ${listener.port}`
  const facts = renderFacts([
    ['host name', hostname],
    [
      'listener',
      listener.state === 'running'
        ? `running on ${where} since ${listener.startedAt}, pid ${listener.pid}`
        : `stopped (${where})`,
    ],
    ...(connections ? [describeConnections(connections)] : []),
    ...describeNextStart(found),
    ...describeIdentity(found, now),
    ...describeIssuer(found),
    ...describeRenewal(found, now),
    ['database', database],
    ...(databaseTrouble
      ? [['UNUSABLE', `the database, since ${databaseTrouble.since}: ${databaseTrouble.reason}`] as const]
      : []),
    ...(log?.lostLines
      ? [['LOG', `${log.lostLines} lines could not be written; is its disk full, or its reader gone?`] as const]
      : []),
  ])
  return [facts, '', describePools(found), '', nextStep(status)].join('\n')
}

function describeConnections(connections: NonNullable<Status['connections']>): [label: string, value: string] {
  const { open, limit, handshaking, givenUp } = connections
  const unfinished = handshaking > 0 ? `, ${handshaking} without a finished handshake` : ''
  const lost = givenUp > 0 ? `; ${givenUp} given up since the start` : ''
  return ['connections', `${open} of at most ${limit}${unfinished}${lost}`]
}

/** The settings on disk, where they are others than those in use. */
function describeNextStart({ root, nextStart: { fault, changed } }: Status): [label: string, value: string][] {
  if (fault) {
    const facts = Object.entries(fault.facts).map(([name, value]) => `, ${name}: ${value}`)
    const what = `${fault.message} [${fault.code}]${facts.join('')}`
    return [['next start', `FAILS: ${what}; mend it:  ${toType(fault.remedy, root)}`]]
  }
  if (changed.length === 0) return []
  const words = changed.map(({ key, now, next }) =>
    now === '' ? `another ${key}` : `${key} ${next} (now ${now}${key === 'port' ? ', which pools connect to' : ''})`,
  )
  return [['next start', `takes over ${words.join(', ')}`]]
}

function describeIdentity({ identity, listener }: Status, now: Date): [label: string, value: string][] {
  const served = listener.state === 'running' ? listener.fingerprintSha256 : 'nothing'
  if ('error' in identity) {
    const { message, code, facts } = identity.error
    const found = Object.entries(facts).map(([name, value]) => `, ${name}: ${value}`)
    return [
      ['certificate', `UNUSABLE: ${message} [${code}]${found.join('')}`],
      ['served', served],
    ]
  }
  const { subject, notAfter, fingerprintSha256, missingNames } = identity
  return [
    ['certificate', `${subject}, until ${notAfter.toISOString()} (${daysFrom(now, notAfter)})`],
    ...[identity, ...identity.chain].flatMap((one) => describeDates(one, now)),
    ['SHA-256', fingerprintSha256],
    ['served', served === fingerprintSha256 ? 'the same' : served === 'nothing' ? served : `ANOTHER one: ${served}`],
    ...describeMissingNames(missingNames),
  ]
}

function describeIssuer({ root, identity }: Status): [label: string, value: string][] {
  if ('error' in identity || !identity.selfSigned) return []
  return [
    ['issuer', `itself (self-signed): it is a placeholder; for a signed one:  ${toType('wlb cert request', root)}`],
  ]
}

function describeRenewal({ root, renewal }: Status, now: Date): [label: string, value: string][] {
  if (!renewal) return []
  const { directory, next, failure, held, unfinished } = renewal
  const when = next
    ? `${next} (${daysFrom(now, new Date(next))}), from ${directory}`
    : `none: what is in place did not come from ${directory}; to have it from there: ${toType('wlb cert acme', root)}`
  return [
    ['renewal', when],
    ...(failure
      ? [
          [
            'NOT RENEWED',
            `${failure.message} [${failure.code}], tried ${failure.count} times, last ${failure.at}`,
          ] as const,
        ]
      : []),
    ...(held
      ? [
          [
            'HELD BACK',
            `a new certificate, until pools trust ${held.anchor} [ACME_ANCHOR_CHANGED]${describeBlocker(held.because)}`,
          ] as const,
        ]
      : []),
    ...(unfinished
      ? [
          [
            'UNFINISHED',
            `pool ${unfinished.pool} is not rid of the certificate before: ${unfinished.message} [${unfinished.code}], tried ${unfinished.count} times: ${unfinished.remedy}`,
          ] as const,
        ]
      : []),
  ].map(([label = '', value = '']) => [label, value])
}

type Renewal = NonNullable<Status['renewal']>

function describeBlocker(because: NonNullable<Renewal['held']>['because']): string {
  if (!because || because.pool === '') return ': wlb trust renew'
  const { pool, code, message, remedy } = because
  return `, which pool ${pool} does not: ${message} [${code}]: ${remedy}`
}

function describePools({ pools, addressesUsed, databaseTrouble }: Status): string {
  if (databaseTrouble && pools === null) return 'Which pools are registered, the database cannot say now.'
  if (pools === null) return 'Which pools are registered, only the running appliance knows.'
  if (pools.length === 0) return 'No pool is registered.'
  const rows = pools.map(({ uuid, coordinatorAddress, hosts, username, registeredAt }) => [
    uuid,
    coordinatorAddress,
    String(hosts),
    username,
    registeredAt,
  ])
  const table = renderTable(['pool', 'coordinator', 'hosts', 'logs in as', 'registered'], rows)
  return addressesUsed?.length ? `${table}\n\nPools connect to: ${addressesUsed.join(', ')}` : table
}

function nextStep({ root, listener, nextStart, identity, database, databaseTrouble, pools, hostname }: Status): string {
  if ('error' in identity) return `Try:  ${toType(identity.error.remedy, root)}`
  if (listener.state === 'stopped' && nextStart.fault)
    return `It does not start:  ${toType(nextStart.fault.remedy, root)}`
  if (listener.state === 'stopped') return `Start it:  ${toType('wlb serve', root)}`
  if (databaseTrouble)
    return database === 'embedded'
      ? `Look at the disk:  ${toType(shell`df -h ${paths(root).stateFolder}; dmesg | tail`)}`
      : 'Look at the database server; the appliance connects again by itself.'
  if (pools?.length === 0)
    return `Connect a pool:  xe pool-initialize-wlb wlb_url=${quoteWord(`${hostname}:${listener.port}`)} wlb_username=... wlb_password=... xenserver_username=root xenserver_password=...`
  if (identity.selfSigned)
    return `For more than a test, ask for a signed certificate:  ${toType('wlb cert request', root)}`
  return 'Look closer:  wlb cert show'
}
