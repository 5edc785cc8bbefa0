/**
 * The appliance on this machine. Its certificate is replaced as by `wlb cert install`: both files or neither, proved by
 * a handshake, without an interruption; the new pair waits staged, and the one before stays in the history.
 */

import { quoteWord } from '../../../base/text/quote-word.js'
import {
  dropAbandoned,
  dropStaged,
  findRollback,
  listIdentities,
  readStaged,
  replaceIdentity,
  settleObtained,
  stageIdentity,
} from '../../../identity/index.js'
import { formatWlbAddress } from '../../../xapi/index.js'
import { fail } from '../../errors.js'
import { makeNextIdentity } from '../next-identity.js'
import type { Exchange, IdentityOrder, IdentityPlace } from './place.js'

export function placeHere(root: string): IdentityPlace {
  return {
    localRoot: root,
    mayGoOn: () => true,
    find: async ({ appliance }) => {
      const before = await findInPlace(root)
      if (!appliance.local || before === undefined)
        throw fail('RENEW_NEEDS_APPLIANCE', { appliance: formatWlbAddress(appliance) })
      return { name: before, file: undefined, pools: (appliance.local.pools ?? []).map(({ uuid }) => uuid) }
    },
    next: (question, _found, inPlace) => makeNextIdentity({ ...question, root }, inPlace),
    tidy: async (open, now) => {
      const named = open.flatMap((order) => (order.kind === 'identity' && !order.over ? [order.staged] : []))
      await dropAbandoned(root, new Set(named), now)
    },
    keep: async ({ identity, how }, { name }) => {
      const staged = await stageIdentity(root, identity)
      return { id: 'identity', kind: 'identity', root, staged, before: name, how }
    },
    again: async () => undefined,
    drop: async ({ staged }) => {
      await settleObtained(root)
      await dropStaged(root, staged)
    },
    exchange: (order) => exchangeHere(root, order),
  }
}

const COMMANDS = { install: 'install FILES...', acme: 'acme', 'self-signed': 'self-signed' } as const

function exchangeHere(root: string, { staged, before, how }: IdentityOrder): Exchange {
  return {
    command: `wlb --root ${quoteWord(root)} cert ${COMMANDS[how]}`,
    // the pair may be in place and not served yet: it is activated and proved once more
    check: async () => ((await findInPlace(root)) === staged ? 'unseen' : 'open'),
    do: async () => {
      await replaceIdentity(root, await readStaged(root, staged), { how, now: new Date() })
    },
    undo: async () => {
      if ((await findInPlace(root)) !== staged) return // never done, or replaced since
      const { identity, record } = await findRollback(root, before)
      // a certificate issued by ACME stays marked as such, so that it is renewed
      const how = record.how === 'acme' ? 'acme' : 'rollback'
      await replaceIdentity(root, identity, { how, now: new Date() })
    },
  }
}

async function findInPlace(root: string): Promise<string | undefined> {
  return (await listIdentities(root)).find(({ isInPlace }) => isInPlace)?.id
}
