/** Before the certificate of an appliance on another machine is replaced: which of its pools would refuse the new one. */
import type { SshConnection } from '../../ssh/index.js'
import { askPoolsOverSsh, type InstallOverSsh, type PoolOutlook, readPoolsFromHere } from '../../trust/index.js'
import { formatWlbAddress, type KnownPool, parseWlbAddress, readKnownPools } from '../../xapi/index.js'
import { aheadOf, type PoolsAhead } from '../cert/pools-first.js'
import { printNote } from '../terminal/print.js'
import { choosePool } from './open-pool.js'

/** Changes nothing. */
export async function lookAtPoolsElsewhere(
  ssh: SshConnection,
  install: InstallOverSsh,
  now: Date,
): Promise<PoolsAhead> {
  printNote('asking the pools of the appliance ...\n')
  const there = await askPoolsOverSsh(ssh, install)
  if (there) return aheadOf({ state: 'asked', pools: there })
  const known = await readKnownPools()
  const members = [...known.values()].map(({ url, appliance, uuid }) => ({
    name: uuid,
    access: async () => (await choosePool({ pool: url })).access,
    appliance: appliance === undefined ? undefined : parseWlbAddress(appliance),
  }))
  const outlooks = await readPoolsFromHere(ssh, install, members, now)
  const { address: host, port } = install.replacement.request.endpoint
  const here = formatWlbAddress({ host, port })
  const pools = outlooks.filter((outlook) => isAsked(outlook) || usedLastTime(outlook, known, here))
  if (pools.length > 0) return aheadOf({ state: 'asked', pools })
  const silent = outlooks.length > 0 ? `; of those that are, ${outlooks.length} could not be asked` : ''
  return aheadOf({ state: 'unknown', why: `the pools of that appliance are not known from here${silent}` })
}

const isAsked = ({ name }: PoolOutlook) => name !== ''

/** It does not answer; when it was met, it was told to be one of this appliance. */
function usedLastTime({ uuid }: PoolOutlook, known: ReadonlyMap<string, KnownPool>, appliance: string): boolean {
  return [...known.values()].some((pool) => pool.uuid === uuid && pool.appliance === appliance)
}
