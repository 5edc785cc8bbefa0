/**
 * Values for `wlb` that this machine knows: pools met before, hosts of the lab, what can be broken, certificates that
 * were kept, pools that have registered. Each source is loaded when it is needed.
 */

import { resolve } from 'node:path'
import { homeFolder } from '../../base/files/home-folder.js'
import { FAULTS } from '../lab/commands.js'
import type { Candidate } from './answer.js'
import type { LiveValues, Place } from './wlb-words.js'

const SOURCES: Readonly<Record<string, (place: Place) => Promise<readonly Candidate[]>>> = {
  '--pool': async () => (await knownPools()).map(([word, { url }]) => ({ word, meaning: url })),
  'HOST:PORT': async () => {
    const appliances = (await knownPools()).flatMap(([name, { appliance }]) => (appliance ? [[appliance, name]] : []))
    return appliances.map(([word = '', name = '']) => ({ word, meaning: `the appliance of ${name}` }))
  },
  '--host': labHosts,
  HOST: labHosts,
  WHAT: async () => Object.entries(FAULTS).map(([word, outcome]) => ({ word, meaning: `the host ${outcome}` })),
  ROW: async () =>
    (await faultRows()).map(({ row, where, what }) => ({ word: String(row), meaning: `${where}: ${what}` })),
  '--variant': async ({ operands: [asked] }) => {
    const found = (await faultRows()).find(({ row }) => String(row) === asked)
    return (found?.variants ?? []).map((word) => ({ word }))
  },
  ID: async ({ root }) => {
    const [{ listRecords }, { paths }] = await Promise.all([
      import('../../identity/store/identity-history.js'),
      import('../../config/paths.js'),
    ])
    const records = await listRecords(paths(folderOf(root)).identities)
    return records.map(({ id, subject, installedAt }) => ({ word: id, meaning: `${subject ?? '?'}, ${installedAt}` }))
  },
  UUID: async ({ root }) => {
    const { readStatus } = await import('../../identity/index.js')
    const { pools } = await readStatus(folderOf(root))
    return (pools ?? []).map(({ uuid, coordinatorAddress }) => ({ word: uuid, meaning: coordinatorAddress }))
  },
}

export const liveValues: LiveValues = (standsFor, place) => SOURCES[standsFor]?.(place)

/** The appliance's folder, by the rule of every command. */
export function folderOf(root: string | undefined): string {
  return resolve(root ?? process.env.WLB_ROOT ?? `${homeFolder()}/.openwlb`)
}

async function knownPools() {
  const { readKnownPools } = await import('../../xapi/pool/known-pools.js')
  return [...(await readKnownPools())]
}

async function faultRows() {
  const { listFaults } = await import('../../lab/faults/table.js')
  return listFaults()
}

async function labHosts({ root }: Place): Promise<readonly Candidate[]> {
  const { findLab } = await import('../../lab/launcher/lab-file.js')
  const lab = await findLab(folderOf(root))
  return (lab?.hosts ?? []).map(({ name, address }) => ({ word: name, meaning: address }))
}
