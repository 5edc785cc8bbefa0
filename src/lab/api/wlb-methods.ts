/** The pool's calls about WLB: what each checks, sends and stores (docs/protocol/wlb.md). */
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import type { Database } from '../database/database.js'
import { isLive } from '../host/host.js'
import { parseWlbUrl } from '../wlb/wlb-connection.js'
import {
  assertLicensed,
  clearWlbSettings,
  currentWlbSettings,
  readWlbSettings,
  storeWlbSettings,
} from '../wlb/wlb-settings.js'
import { type Call, changing, type Method, reading } from './method.js'

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
  const { verify, pinsLeaf, poolUuid, timeoutMs } = currentWlbSettings(coordinator)
  const { address, plainPort } = host.settings
  const request = {
    password: args.text(4, 'xenserver_password'),
    poolUuid,
    userName: args.text(3, 'xenserver_username'),
    xenServerUrl: `http://${address}:${plainPort}/`,
  }
  await host.wlb.call({ method: 'AddXenServer', request }, { url, userName, password, verify, pinsLeaf, timeoutMs })
  storeWlbSettings(coordinator, url, userName, password)
  return ''
}

/** The pool forgets the appliance whatever it answers, and also when it does not answer. */
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

async function retrieveConfiguration({ host, coordinator }: Call): Promise<ApiValue> {
  const settings = readWlbSettings(coordinator, false)
  const request = { poolUuid: settings.poolUuid }
  const { entries } = await host.wlb.call({ method: 'GetXenPoolConfiguration', request }, settings)
  return Object.fromEntries(entries)
}

/** Lists one recommendation per VM; one that switches a host on or off stands under that host's control domain. */
async function retrieveRecommendations({ host, coordinator }: Call): Promise<ApiValue> {
  const settings = readWlbSettings(coordinator, true)
  const method = 'GetOptimizationRecommendations'
  const result = await host.wlb.call({ method, request: { poolUuid: settings.poolUuid } }, settings)
  if (result.kind === 'balanced') return {}
  const { database } = coordinator
  return Object.fromEntries(
    result.recommendations.map((row): [string, ApiValue] => {
      const vm =
        row.kind === 'move'
          ? refOf(database, 'VM', row.vmUuid, method)
          : String(database.get('host', refOf(database, 'host', row.hostUuid, method)).control_domain)
      const target = row.kind === 'move' ? row.toHostUuid : row.hostUuid
      return [vm, ['WLB', target, result.optimizationId, row.recommendationId, row.reason]]
    }),
  )
}

async function retrieveVmRecommendations({ host, coordinator, args }: Call): Promise<ApiValue> {
  const { database } = coordinator
  const vmUuid = String(database.get('VM', args.text(0, 'vm')).uuid)
  const settings = readWlbSettings(coordinator, true)
  const method = 'VMGetRecommendations'
  const call = { method, request: { poolUuid: settings.poolUuid, vmUuid } } as const
  const { recommendations } = await host.wlb.call(call, settings)
  const live = database.refs('host').filter((ref) => isLive(coordinator, ref)).length
  if (recommendations.length !== live) {
    // The misspelling is xapi's own; clients may match it.
    const text = 'List of returned reccomendations is not equal to the number of hosts in pool'
    throw new ApiFailure('WLB_MALFORMED_RESPONSE', [method, text, 'unknown'])
  }
  const rows = recommendations.map(({ hostUuid, stars, recommendationId, zeroScoreReason }): [string, ApiValue] => {
    const score =
      stars === 0 ? ['WLB', '0.0', recommendationId, zeroScoreReason] : ['WLB', starsText(stars), recommendationId]
    return [refOf(database, 'host', hostUuid, method), score]
  })
  if (new Set(rows.map(([ref]) => ref)).size !== live) {
    const text = 'VM recommendations must only target live hosts and target all of them'
    throw new ApiFailure('WLB_MALFORMED_RESPONSE', [method, text, 'Unknown'])
  }
  return Object.fromEntries(rows)
}

/** VMs that the answer leaves out are reported as not fitting on any host. */
async function retrieveEvacuationPlan({ host, coordinator, args }: Call): Promise<ApiValue> {
  const { database } = coordinator
  const hostRef = args.ref(0, 'self', 'host', coordinator)
  const settings = readWlbSettings(coordinator, true)
  const method = 'HostGetRecommendations'
  const request = { hostUuid: String(database.get('host', hostRef).uuid), poolUuid: settings.poolUuid }
  const { recommendations } = await host.wlb.call({ method, request }, settings)
  const plan = new Map<string, ApiValue>()
  for (const { vmUuid, hostUuid } of recommendations) {
    const vm = refOf(database, 'VM', vmUuid, method)
    const target = refOf(database, 'host', hostUuid, method)
    if (database.get('VM', vm).resident_on === target) {
      const name = database.get('VM', vm).name_label
      const text = `WLB recommends migrating VM ${name} to the same server it is being evacuated from.`
      throw new ApiFailure('WLB_MALFORMED_RESPONSE', [text])
    }
    plan.set(vm, ['WLB', hostUuid])
  }
  for (const [ref, vm] of database.rows('VM')) {
    const stays = vm.resident_on === hostRef && vm.is_control_domain === false && vm.is_a_template === false
    if (stays && !plan.has(ref)) plan.set(ref, ['HOST_NOT_ENOUGH_FREE_MEMORY', ref])
  }
  return Object.fromEntries(plan)
}

function refOf(database: Database, className: string, uuid: string, method: string): string {
  const found = database.rows(className).find(([, record]) => record.uuid === uuid)
  if (!found) throw new ApiFailure('WLB_MALFORMED_RESPONSE', [method, 'Invalid VM or host UUID', 'unknown'])
  return found[0]
}

/** Twelve significant digits, and at least one behind the point. */
function starsText(stars: number): string {
  const text = String(Number(stars.toPrecision(12)))
  return /[.e]/.test(text) || !Number.isFinite(stars) ? text : `${text}.0`
}
