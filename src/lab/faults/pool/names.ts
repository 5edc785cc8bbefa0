/** Rows about the name the pool connects by: `pool.wlb_url` is written as `pool.initialize_wlb` would have left it. */
import { appendFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { WlbError } from '../../../base/error.js'
import { checkHost, describeCertificate } from '../../../x509/index.js'
import { observeServed, wlbAddress, wlbHostAddress } from './served.js'
import { changeRecords, layoutFor, type PoolFault, type PoolStage, poolRecord } from './stage.js'

const shape = { scope: 'pool', parts: ['records', 'names'] } as const

export const NAME_FAULTS: readonly PoolFault[] = [
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
]

/** @throws LAB_FAULT_CERTIFICATE_UNFIT when the certificate served says otherwise of that name. */
async function connectBy(stage: PoolStage, name: string, expected: 'accepted' | 'refused'): Promise<void> {
  const { port } = wlbAddress(stage)
  const { leaf } = await observeServed(stage)
  if (checkHost(leaf, name) !== (expected === 'accepted')) throw unfit(name, expected, describeCertificate(leaf).names)
  const address = await wlbHostAddress(stage)
  if (isIP(name) === 0) {
    for (const host of stage.hosts) await appendFile(layoutFor(stage, host).hosts, `${address}\t${name}\n`)
  }
  await changeRecords(stage, { pool: { [poolRecord(stage).ref]: { wlb_url: `${name}:${port}` } } })
}

/** @throws LAB_FAULT_CONNECTED_BY_ADDRESS */
export function fullName(stage: PoolStage): string {
  const { host } = wlbAddress(stage)
  if (isIP(host) !== 0) throw byAddress(host)
  return host
}

async function coveredByWildcard(stage: PoolStage): Promise<string> {
  const { leaf } = await observeServed(stage)
  const { dnsNames, names } = describeCertificate(leaf)
  const wildcard = dnsNames.find((name) => name.startsWith('*.'))
  if (!wildcard) throw unfit(fullName(stage), 'accepted', names)
  return `appliance${wildcard.slice(1)}`
}

function unfit(name: string, expected: 'accepted' | 'refused', names: readonly string[]): WlbError {
  return new WlbError(
    'LAB_FAULT_CERTIFICATE_UNFIT',
    `With the certificate that is served the name would not be ${expected}.`,
    { name, certificate: names.join(', ') },
    'wlb cert show',
  )
}

function byAddress(address: string): WlbError {
  return new WlbError(
    'LAB_FAULT_CONNECTED_BY_ADDRESS',
    'The fault is about a name, and the pool connects by address.',
    { address },
    'wlb lab fault clear',
  )
}
