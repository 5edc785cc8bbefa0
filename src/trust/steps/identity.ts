/**
 * The certificate that the appliance on this machine serves, exchanged for one that waits staged, and back again. The
 * exchange is the appliance's own: both files or neither, proved by a handshake, no connection refused meanwhile.
 */
import { findRollback, listIdentities, readStaged, replaceIdentity } from '../../appliance/index.js'
import { quoteWord } from '../../appliance/quote-word.js'
import type { OrderOf, Step } from './step.js'

export function identityStep(order: OrderOf<'identity'>): Step {
  const { root, staged, before, how } = order
  const inPlace = async () => (await listIdentities(root)).find(({ isInPlace }) => isInPlace)?.id
  return {
    id: order.id,
    order,
    title: 'serve the new certificate',
    command: `wlb --root ${quoteWord(root)} cert ${how === 'install' ? 'install FILES...' : 'self-signed'}`,
    // the pair may be in its place and not be served yet: it is activated and proved once more
    check: async () => ((await inPlace()) === staged ? 'unseen' : 'open'),
    do: async () => {
      await replaceIdentity(root, await readStaged(root, staged), { how, now: new Date() })
    },
    undo: async () => {
      if ((await inPlace()) !== staged) return // never done, or replaced by somebody since
      const { identity } = await findRollback(root, before)
      await replaceIdentity(root, identity, { how: 'rollback', now: new Date() })
    },
  }
}
