/** Steps that change how the pool connects: by a name that the certificate has, and with verification. */
import { shell } from '../../../base/text/quote-word.js'
import { fail } from '../../errors.js'
import { readPoolNow, setVerification } from './pool-state.js'
import type { OrderOf, Step, StepContext } from './step.js'

export function connectStep(order: OrderOf<'connect'>, context: StepContext): Step {
  const { session } = context
  const { url, before } = order
  const title =
    before.url === '' ? `connect the pool to ${url}` : `reconnect the pool by name: ${url}, not ${before.url}`
  return {
    id: order.id,
    order,
    title,
    command: connectCommand(url, order.userName, context.poolUser.userName),
    check: async () => ((await readPoolNow(session)).wlbUrl === url ? 'holds' : 'open'),
    do: () => initialize(url, order.userName, context, 'RECONNECT_NEEDED'),
    undo: async () => {
      const now = await readPoolNow(session)
      if (now.wlbUrl === url) await (before.url === '' ? session.call('pool.deconfigure_wlb') : goBack(order, context))
      else if (now.wlbUrl !== before.url) return // connected elsewhere by now
      await setVerification(session, before.verifies)
    },
  }
}

/** An address that no certificate names is taken only while nothing is verified. */
async function goBack({ before }: OrderOf<'connect'>, context: StepContext): Promise<void> {
  if (context.wlbPassword === undefined) throw fail('UNDO_NEEDS_PASSWORD', withoutPassword(before.url))
  await setVerification(context.session, false)
  await initialize(before.url, before.userName, context, 'UNDO_NEEDS_PASSWORD')
}

/** Passwords are masked. */
export function connectCommand(url: string, wlbUserName: string, poolUserName: string): string {
  return [
    shell`xe pool-initialize-wlb wlb_url=${url} wlb_username=${wlbUserName} wlb_password=******`,
    shell`xenserver_username=${poolUserName} xenserver_password=******`,
  ].join(' ')
}

async function initialize(
  url: string,
  userName: string,
  { session, poolUser, wlbPassword }: StepContext,
  code: 'RECONNECT_NEEDED' | 'UNDO_NEEDS_PASSWORD',
): Promise<void> {
  if (wlbPassword === undefined) throw fail(code, withoutPassword(url))
  await session.call('pool.initialize_wlb', url, userName, wlbPassword, poolUser.userName, poolUser.password)
}

function withoutPassword(connectTo: string) {
  return { connectTo, missing: '--wlb-password-file' }
}

export function verificationStep(order: OrderOf<'verification'>, { session }: StepContext): Step {
  const { value, before, poolUuid } = order
  return {
    id: order.id,
    order,
    title: value ? 'verification on, and off again if one host refuses' : 'verification off',
    command: shell`xe pool-param-set wlb-verify-cert=${value} uuid=${poolUuid}`,
    check: async () => ((await readPoolNow(session)).verifies === value ? 'holds' : 'open'),
    do: () => setVerification(session, value),
    undo: () => setVerification(session, before),
  }
}
