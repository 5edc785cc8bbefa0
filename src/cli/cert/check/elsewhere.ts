/** What `wlb cert check` asks others than the files: a server, and the settings of this appliance. Loaded when it is needed. */
import { WlbError } from '../../../base/error.js'
import { paths, readSettings } from '../../../config/index.js'
import { type AnsweredFacts, observeEndpoint, poolErrorOf, type TlsFailure } from '../../../tls/index.js'
import type { WlbAddress } from '../../../xapi/index.js'
import { fail } from '../../errors.js'

const TIMEOUT_MS = 10_000

/** @throws ENDPOINT_UNREACHABLE when nobody answers there. */
export async function askEndpoint({ host, port }: WlbAddress, name: string): Promise<AnsweredFacts> {
  const facts = await observeEndpoint({ host, port, timeoutMs: TIMEOUT_MS }, name)
  const unreachable = (why: string, failure: TlsFailure) => {
    const poolError = poolErrorOf(failure, `${host}:${port}`, 30_000).join(' ')
    return fail('ENDPOINT_UNREACHABLE', { host, port, why, poolError })
  }
  if (facts.state === 'silent') throw unreachable('no answer', { kind: 'timeout' })
  if (facts.state !== 'unreachable') return facts
  const { why, indicator } = facts
  throw unreachable(why, indicator ? { kind: 'stunnel', indicator } : { kind: 'reset' })
}

/** @throws USAGE_NEEDS_NAME where no appliance is set up. */
export async function readHostname(root: string): Promise<string> {
  const settings = await readSettings(paths(root).settings).catch((error: unknown) => {
    const isMissing = error instanceof WlbError && error.code === 'NOT_SET_UP'
    throw isMissing ? fail('USAGE_NEEDS_NAME', { missing: '--name' }, error) : error
  })
  return settings.hostname
}
