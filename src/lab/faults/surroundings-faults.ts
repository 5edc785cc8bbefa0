/**
 * Rows about how a host reaches the appliance: the name the pool connects by, the host's clock, its etc/hosts, the route.
 * `pool.wlb_url` is written as `pool.initialize_wlb` would have left it.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { replaceFile } from '../../base/files/durable-file.js'
import { checkHost, describeCertificate } from '../../x509/index.js'
import { fail } from '../errors.js'
import { type Conditions, readConditions, writeConditions } from '../host/host-files.js'
import { findProcess, postToHost } from '../launcher/host-control.js'
import { hostRoot, type KnownHost } from '../launcher/lab-file.js'
import { changeRecords, layoutFor, type PoolFault, type PoolStage, poolRecord, targetsOf } from './pool-stage.js'
import { observeServed, wlbAddress, wlbHostAddress } from './served.js'

const onCoordinator = { scope: 'the coordinator' } as const
const DAY_MS = 86_400_000
const shape = { scope: 'pool', parts: ['records', 'names'] } as const

export const SURROUNDINGS_FAULTS: readonly PoolFault[] = [
  {
    ...shape,
    row: 8,
    what: 'the pool connects by address, for which the certificate has an iPAddress entry only',
    inject: async (stage) => connectBy(stage, await wlbHostAddress(stage), 'refused'),
  },
  {
    ...shape,
    row: 9,
    what: 'the pool connects by address, and the certificate gives it as a name: accepted',
    inject: async (stage) => connectBy(stage, await wlbHostAddress(stage), 'accepted'),
  },
  {
    ...shape,
    row: 10,
    what: 'the pool connects by the short name, which its hosts know and the certificate does not',
    inject: async (stage) => connectBy(stage, fullName(stage).split('.', 1).join(''), 'refused'),
  },
  {
    ...shape,
    row: 11,
    what: 'the pool connects by the name with a dot at its end',
    inject: (stage) => connectBy(stage, `${fullName(stage)}.`, 'refused'),
  },
  {
    ...shape,
    row: 12,
    what: 'the pool connects by the name in capital letters: accepted',
    inject: (stage) => connectBy(stage, fullName(stage).toUpperCase(), 'accepted'),
  },
  {
    ...shape,
    row: 13,
    what: 'the pool connects by a name that only a wildcard of the certificate covers: accepted',
    inject: async (stage) => connectBy(stage, await coveredByWildcard(stage), 'accepted'),
  },
  {
    ...onCoordinator,
    row: 5,
    parts: ['conditions'],
    what: 'the clock of the host stands a day before the certificates begin to be valid',
    async inject(stage) {
      const { sent, path } = await observeServed(stage)
      const begins = Math.max(...[...sent, ...path].map(({ validFrom }) => new Date(validFrom).getTime()))
      const clockOffsetMs = begins - DAY_MS - Date.now()
      for (const host of targetsOf(stage, onCoordinator.scope)) await changeConditions(stage, host, { clockOffsetMs })
    },
  },
  {
    ...onCoordinator,
    row: 68,
    parts: ['names'],
    what: 'the host does not know the name of the appliance',
    async inject(stage) {
      const name = fullName(stage)
      for (const host of targetsOf(stage, onCoordinator.scope)) await forgetName(stage, host, name)
    },
  },
  {
    ...onCoordinator,
    row: 70,
    parts: ['conditions'],
    what: 'the host has no route to the appliance; nothing is sent, the host only reports it',
    async inject(stage) {
      for (const host of targetsOf(stage, onCoordinator.scope)) {
        await changeConditions(stage, host, { unroutable: [await wlbHostAddress(stage, host)] })
      }
    },
  },
]

/** @throws LAB_FAULT_CERTIFICATE_UNFIT when the certificate that is served gives another verdict on that name. */
async function connectBy(stage: PoolStage, name: string, expected: 'accepted' | 'refused'): Promise<void> {
  const { port } = wlbAddress(stage)
  const { leaf } = await observeServed(stage)
  if (checkHost(leaf, name) !== (expected === 'accepted')) {
    throw fail('LAB_FAULT_CERTIFICATE_UNFIT', {
      name,
      certificate: describeCertificate(leaf).names.join(', '),
      expected,
    })
  }
  const address = await wlbHostAddress(stage)
  if (isIP(name) === 0) {
    for (const host of stage.hosts) await appendFile(layoutFor(stage, host).hosts, `${address}\t${name}\n`)
  }
  await changeRecords(stage, { pool: { [poolRecord(stage).ref]: { wlb_url: `${name}:${port}` } } })
}

/** @throws LAB_FAULT_CONNECTED_BY_ADDRESS */
function fullName(stage: PoolStage): string {
  const { host } = wlbAddress(stage)
  if (isIP(host) !== 0) throw fail('LAB_FAULT_CONNECTED_BY_ADDRESS', { address: host })
  return host
}

async function coveredByWildcard(stage: PoolStage): Promise<string> {
  const { leaf } = await observeServed(stage)
  const { dnsNames, names } = describeCertificate(leaf)
  const wildcard = dnsNames.find((name) => name.startsWith('*.'))
  if (!wildcard) {
    throw fail('LAB_FAULT_CERTIFICATE_UNFIT', {
      name: fullName(stage),
      certificate: names.join(', '),
      expected: 'accepted',
    })
  }
  return `appliance${wildcard.slice(1)}`
}

async function changeConditions(stage: PoolStage, host: KnownHost, changes: Partial<Conditions>): Promise<void> {
  const layout = layoutFor(stage, host)
  await writeConditions(layout, { ...(await readConditions(layout)), ...changes })
  await refreshConditions(hostRoot(stage.root, host.name))
}

/** Makes a running host read its conditions again; one that does not run reads them when it starts. */
export async function refreshConditions(root: string): Promise<void> {
  if ((await findProcess(root)) !== undefined) await postToHost(root, '/lab/conditions')
}

/** Removes the name from etc/hosts; other names on its line stay. */
async function forgetName(stage: PoolStage, host: KnownHost, name: string): Promise<void> {
  const path = layoutFor(stage, host).hosts
  const wanted = name.toLowerCase().replace(/\.$/, '')
  const lines = (await readFile(path, 'utf8')).split('\n').flatMap((line) => {
    const [address, ...names] = line.trim().split(/\s+/)
    if (!address || isIP(address) === 0) return [line]
    const others = names.filter((known) => known.toLowerCase().replace(/\.$/, '') !== wanted)
    if (others.length === names.length) return [line]
    return others.length > 0 ? [`${address}\t${others.join(' ')}`] : []
  })
  await replaceFile(path, lines.join('\n'), 0o644)
}
