/** Rows about what surrounds a host: its clock, what it knows of names, the way to the appliance. */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { replaceFile } from '../../../base/durable-file.js'
import { type Conditions, readConditions, writeConditions } from '../../host/conditions.js'
import { findProcess, tellHost } from '../../launcher/host-control.js'
import { hostRoot, type KnownHost } from '../../launcher/lab-file.js'
import { fullName } from './names.js'
import { observeServed, wlbHostAddress } from './served.js'
import { layoutFor, type PoolFault, type PoolStage, targetsOf } from './stage.js'

const DAY_MS = 86_400_000
const shape = { scope: 'the coordinator' } as const

export const SURROUNDINGS_FAULTS: readonly PoolFault[] = [
  {
    ...shape,
    row: 5,
    parts: ['conditions'],
    what: 'the clock of the host stands a day before the certificates begin to be valid',
    async inject(stage) {
      const { sent, path } = await observeServed(stage)
      const begins = Math.max(...[...sent, ...path].map(({ validFrom }) => new Date(validFrom).getTime()))
      const clockOffsetMs = begins - DAY_MS - Date.now()
      for (const host of targetsOf(stage, shape.scope)) await believe(stage, host, { clockOffsetMs })
    },
  },
  {
    ...shape,
    row: 68,
    parts: ['names'],
    what: 'the host does not know the name of the appliance',
    async inject(stage) {
      const name = fullName(stage)
      for (const host of targetsOf(stage, shape.scope)) await forgetName(stage, host, name)
    },
  },
  {
    ...shape,
    row: 70,
    parts: ['conditions'],
    what: 'no way leads from the host to the appliance; nothing is sent, the host only hears so',
    async inject(stage) {
      for (const host of targetsOf(stage, shape.scope)) {
        await believe(stage, host, { unroutable: [await wlbHostAddress(stage, host)] })
      }
    },
  },
]

async function believe(stage: PoolStage, host: KnownHost, changes: Partial<Conditions>): Promise<void> {
  const layout = layoutFor(stage, host)
  await writeConditions(layout, { ...(await readConditions(layout)), ...changes })
  await refreshConditions(hostRoot(stage.root, host.name))
}

/** One that does not run reads them when it starts. */
export async function refreshConditions(root: string): Promise<void> {
  if ((await findProcess(root)) !== undefined) await tellHost(root, '/lab/conditions')
}

/** Takes the name out of the line it stands in; other names there stay. */
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
