/** The pool's switches: connected, licensed, in use, verifying. */

import { counted } from '../../../base/text/counted.js'
import { shell } from '../../../base/text/quote-word.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { installRoot, installSelfSigned } from '../make-trusted.js'
import { predictVerified } from '../prediction.js'
import { errorText } from '../wording.js'
import { reconnect } from './names.js'

export function findState(view: View): readonly Draft[] {
  const { pool } = view
  if (!pool) return []
  return [
    ...notInUse(view),
    ...adviceRefused(view),
    ...(pool.wlbUrl !== '' && !pool.verifies ? [verificationOff(view)] : []),
  ]
}

function notInUse({ pool, evidence: { appliance, local } }: View): readonly Draft[] {
  if (!pool) return []
  const { wlbUrl, licensed, wlbEnabled, uuid } = pool
  if (!licensed) {
    return [
      {
        code: 'NOT_IN_USE',
        cause: 'The licence of the pool does not include workload balancing.',
        evidence: 'restrict_wlb is true among the restrictions of the pool; it answers LICENSE_RESTRICTION',
        remedy: shell`xe pool-param-get param-name=restrictions uuid=${uuid}`,
        error: ['LICENSE_RESTRICTION', 'WLB'],
      },
    ]
  }
  if (wlbUrl === '') {
    return [
      {
        code: 'NOT_IN_USE',
        cause: 'The pool is not connected to an appliance.',
        evidence: 'wlb_url is empty; it answers WLB_NOT_INITIALIZED',
        remedy: appliance ? reconnect(appliance.name, appliance.port) : reconnect('FQDN', 8012),
        error: ['WLB_NOT_INITIALIZED'],
      },
    ]
  }
  if (wlbEnabled) return []
  const paused = { code: 'NOT_IN_USE', severity: 'note' } as const
  const evidence = 'wlb-enabled is false; recommendations answer WLB_DISABLED'
  if (local?.isAsked) {
    // what is found where it is switched on: ADVICE_REFUSED
    const cause =
      'Workload balancing is paused, and may stay so: this version of the appliance gives no recommendations yet, and pools that ask for one are told WLB_INTERNAL_ERROR.'
    return [{ ...paused, cause, evidence, remedy: '' }]
  }
  return [
    {
      ...paused,
      cause: 'Workload balancing is paused: the pool is connected and asks for no recommendation.',
      evidence,
      remedy: shell`xe pool-param-set wlb-enabled=true uuid=${uuid}`,
    },
  ]
}

/** Switched on, and every question for advice fails; xapi then decides by itself and leaves a message. */
function adviceRefused({ pool, evidence: { adviceError } }: View): readonly Draft[] {
  if (!pool || adviceError.length === 0) return []
  const isOurs = adviceError.some((text) => text.includes('not offered by this version of OpenWLB'))
  const why = isOurs ? 'this version of the appliance gives none yet' : 'the appliance gives none'
  return [
    {
      code: 'ADVICE_REFUSED',
      cause: `Workload balancing is switched on, so the pool asks for advice, and ${why}: VMs start and hosts are emptied as the pool itself decides, each time with a message WLB_CONSULTATION_FAILED.`,
      evidence: `wlb-enabled is true; asked for recommendations, the pool says ${errorText(adviceError)}`,
      remedy: shell`xe pool-param-set wlb-enabled=false uuid=${pool.uuid}`,
    },
  ]
}

/** The connection works, but any server would be accepted. */
function verificationOff(view: View): Draft {
  const { pool, installed } = view
  const uuid = pool?.uuid ?? 'UUID'
  const expected = predictVerified(view)
  const switchOn = shell`xe pool-param-set wlb-verify-cert=true uuid=${uuid}`
  const soFar =
    expected.kind === 'unknown'
      ? 'whether it would work switched on cannot be told from here'
      : expected.kind === 'accepted'
        ? 'switched on, it would work as far as can be told from here'
        : `switched on now, it would answer ${errorText(expected.error)}`
  const isOwnRoot = view.served.length === 1 && view.leaf?.subject === view.leaf?.issuer
  const install = (isOwnRoot ? undefined : installRoot(view)) ?? installSelfSigned(view)
  return {
    code: 'VERIFICATION_OFF',
    cause: 'Verification is off: everything works, and the pool would send its password to whoever answers.',
    evidence: `wlb-verify-cert is false; ${counted(installed.length, 'certificate')} installed; ${soFar}`,
    // `wlb trust apply` switches it on itself
    remedy: installed.length > 0 ? switchOn : install.startsWith('wlb ') ? install : `${install}; ${switchOn}`,
  }
}
