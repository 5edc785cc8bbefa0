/** The pool's calls about WLB: what is checked first, what is sent, what is written down (docs/protocol/wlb.md). */

import type { WlbCall } from '../wlb/index.js'
import { ApiFailure, type ApiValue } from '../xapi/index.js'
import type { Coordinator, LabHost } from './host.js'
import { type Call, changing, type Method, reading } from './method.js'
import { parseWlbUrl } from './wlb-connection.js'
import {
  assertLicensed,
  clearWlbSettings,
  currentWlbSettings,
  readWlbSettings,
  storeWlbSettings,
} from './wlb-settings.js'

export const WLB_METHODS: readonly [string, Method][] = [
  ['pool.initialize_wlb', changing(5, initialize)],
  ['pool.deconfigure_wlb', changing(0, deconfigure)],
  ['pool.send_wlb_configuration', changing(1, sendConfiguration)],
  ['pool.retrieve_wlb_configuration', reading(0, retrieveConfiguration)],
  ['pool.retrieve_wlb_recommendations', reading(0, retrieveRecommendations)],
  ['VM.retrieve_wlb_recommendations', reading(1, retrieveVmRecommendations)],
  ['host.retrieve_wlb_evacuate_recommendations', reading(1, retrieveEvacuationPlan)],
]

async function initialize({ host, coordinator, args }: Call): Promise<ApiValue> {
  const [url, userName, password] = [
    args.text(0, 'wlb_url'),
    args.text(1, 'wlb_username'),
    args.text(2, 'wlb_password'),
  ]
  assertLicensed(coordinator)
  parseWlbUrl(url)
  const { verify, poolUuid, timeoutMs } = currentWlbSettings(coordinator)
  const { address, plainPort } = host.settings
  const call: WlbCall = {
    method: 'AddXenServer',
    request: {
      password: args.text(4, 'xenserver_password'),
      poolUuid,
      userName: args.text(3, 'xenserver_username'),
      xenServerUrl: `http://${address}:${plainPort}/`,
    },
  }
  await host.wlb.call(call, { url, userName, password, verify, timeoutMs })
  storeWlbSettings(coordinator, url, userName, password)
  return ''
}

/** Whatever the appliance says, or whether it is there at all: the pool forgets it. */
async function deconfigure({ host, coordinator }: Call): Promise<ApiValue> {
  const settings = currentWlbSettings(coordinator)
  if (settings.url === '') throw new ApiFailure('WLB_NOT_INITIALIZED', [])
  try {
    await host.wlb.call({ method: 'RemoveXenServer', request: { poolUuid: settings.poolUuid } }, settings)
  } catch (error) {
    host.log(`RemoveXenServer: ${error instanceof Error ? error.message : String(error)}`)
  }
  clearWlbSettings(coordinator)
  return ''
}

async function sendConfiguration({ host, coordinator, args }: Call): Promise<ApiValue> {
  const settings = readWlbSettings(coordinator, false)
  const entries = args.textMap(0, 'config')
  await host.wlb.call(
    { method: 'SetXenPoolConfiguration', request: { poolUuid: settings.poolUuid, entries } },
    settings,
  )
  return ''
}
