/** What is said once the connection stands: passwords in both directions, and odd answers. */
import { judgeWlbError } from '../../../xapi/index.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { errorText, listOf } from '../wording.js'
import { reconnect } from './names.js'

/** Of the appliance: it cannot log in to the pool. */
const POOL_LOGIN_NUMBERS = new Set(['4002', '4021'])

export function findCredentials(view: View): readonly Draft[] {
  const { pool, results, name, port } = view
  if (!pool) return []
  const again = reconnect(name, port)
  const { call } = view.evidence
  const shut = results.filter(({ error: [code] }) => code === 'WLB_AUTHENTICATION_FAILED')
  if (shut.length > 0) {
    const hosts = shut.map(({ host }) => host.name)
    return [
      {
        code: 'APPLIANCE_PASSWORD_WRONG',
        hosts: hosts.length === results.length ? [] : hosts,
        cause: 'The appliance does not take the user name and password the pool shows it.',
        evidence: `${listOf(hosts)} said WLB_AUTHENTICATION_FAILED: the connection stands, and the answer is 401 or 403`,
        remedy: again,
      },
    ]
  }
  if (call.kind === 'answered') {
    if (call.configuration.CredentialsValid?.toLowerCase() !== 'false') return []
    return [poolPassword('the configuration it answers with says CredentialsValid = false', again)]
  }
  if (call.kind === 'not asked') return []
  const [code, first = ''] = call.error
  const isLogin = code === 'WLB_XENSERVER_AUTHENTICATION_FAILED'
  if (isLogin || (code === 'WLB_INTERNAL_ERROR' && POOL_LOGIN_NUMBERS.has(first)))
    return [poolPassword(`the pool said ${errorText(call.error)}`, again)]
  if (judgeWlbError(code) !== 'answered') return []
  const cause = 'The appliance was reached, verified and let the pool in, and its answer is none the pool can use.'
  return [{ code: 'ODD_ANSWER', cause, evidence: `the pool said ${errorText(call.error)}`, error: call.error }]
}

function poolPassword(evidence: string, remedy: string): Draft {
  const cause =
    'The appliance cannot log in to the pool: the user name or password it was given for that is wrong by now.'
  return { code: 'POOL_PASSWORD_WRONG', cause, evidence, remedy }
}
