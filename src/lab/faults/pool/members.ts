/** Rows about a member that has not what the coordinator has (docs/trust-stores.md, a member is down). */
import { removeFiles, replaceAnchors } from './anchors.js'
import { changeRecords, installedRefs, type PoolFault, targetsOf } from './stage.js'
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
