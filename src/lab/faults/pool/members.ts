/** Rows about a member that has not what the coordinator has (docs/trust-stores.md, a member is down). */
import { stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { placesOf } from '../../host/layout.js'
import type { KnownHost } from '../../launcher/lab-file.js'
import { removeFiles, replaceAnchors } from './anchors.js'
import { changeRecords, installedRefs, layoutFor, type PoolFault, type PoolStage, targetsOf } from './stage.js'
import { readInstalled } from './store-files.js'

export const MEMBER_FAULTS: readonly PoolFault[] = [
  {
    row: 28,
    scope: 'a member',
    parts: ['stores'],
    what: 'a member lacks what is installed on the coordinator',
    async inject(stage) {
      await readInstalled(stage)
      await removeFiles(stage, targetsOf(stage, this.scope))
    },
  },
  {
    row: 29,
    scope: 'a member',
    parts: ['stores', 'records'],
    what: 'a member was down during the installation: it lacks the file, and the database has no record of it',
    async inject(stage) {
      await readInstalled(stage)
      await removeFiles(stage, targetsOf(stage, this.scope))
      await changeRecords(stage, { gone: installedRefs(stage) })
    },
  },
  {
    row: 30,
    scope: 'a member',
    parts: ['stores'],
    what: 'a member was down during the synchronisation: the others have everything, it has what it had before',
    async inject(stage) {
      await readInstalled(stage)
      await removeFiles(stage, targetsOf(stage, this.scope))
      await lookUntouched(stage, targetsOf(stage, this.scope))
    },
  },
  {
    row: 79,
    scope: 'a member',
    parts: ['stores'],
    what: 'a member that has joined holds another certificate under the same name',
    async inject(stage) {
      await replaceAnchors(stage, targetsOf(stage, this.scope))
    },
  },
]

const HOUR_MS = 3_600_000

/** A member that was down has a folder that is older than what was written on the others meanwhile. */
async function lookUntouched(stage: PoolStage, members: readonly KnownHost[]): Promise<void> {
  const [there] = placesOf(layoutFor(stage, stage.coordinator), { store: 'LegacyRootCert' })
  if (!there) return
  const files = await readInstalled(stage)
  const written = await Promise.all(files.map(({ name }) => stat(join(there.folder, name))))
  const before = new Date(Math.min(...written.map(({ mtimeMs }) => mtimeMs)) - HOUR_MS)
  for (const member of members) {
    const [place] = placesOf(layoutFor(stage, member), { store: 'LegacyRootCert' })
    if (place) await utimes(place.folder, before, before)
  }
}
