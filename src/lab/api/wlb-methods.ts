/** The pool's calls about WLB: what each checks, sends and stores (docs/protocol/wlb.md). */
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { guestsOn, planEvacuation } from '../vms/checks/evacuation-plan.js'
import { refuseRun } from '../vms/checks/may-run.js'
import { mergeEvacuation } from '../vms/running/wlb-advice.js'
import { parseWlbUrl } from '../wlb/wlb-connection.js'
import { askForEvacuation, askForPlacement, refOfUuid } from '../wlb/wlb-questions.js'
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
          ? refOfUuid(database, 'VM', row.vmUuid, method)
          : String(database.get('host', refOfUuid(database, 'host', row.hostUuid, method)).control_domain)
      const target = row.kind === 'move' ? row.toHostUuid : row.hostUuid
      return [vm, ['WLB', target, result.optimizationId, row.recommendationId, row.reason]]
    }),
  )
}

/** What the appliance rates and the pool itself would refuse has no stars, and the pool's reason. */
async function retrieveVmRecommendations({ host, coordinator, args }: Call): Promise<ApiValue> {
  const { database } = coordinator
  const vm = args.ref(0, 'vm', 'VM', coordinator)
  const ratings = await askForPlacement({ host, coordinator }, vm)
  const rows = ratings.map(({ host: target, stars, recommendationId, reason }): [string, ApiValue] => {
    const refusal = stars === 0 ? undefined : refuseRun(database, { vm, host: target })
    const why =
      refusal?.code === 'VM_INCOMPATIBLE_WITH_THIS_HOST'
        ? 'HostCPUFeaturesIncompatible'
        : refusal && textOfFailure(refusal)
    if (stars !== 0 && why === undefined) return [target, ['WLB', starsText(stars), recommendationId]]
    return [target, ['WLB', '0.0', recommendationId, why ?? reason]]
  })
  return Object.fromEntries(rows)
}

function textOfFailure({ code, params }: ApiFailure): string {
  return [code, ...params].join(';')
}

/** VMs that the answer leaves out are reported as not fitting on any host; those that cannot go at all with the pool's reason. */
async function retrieveEvacuationPlan({ host, coordinator, args }: Call): Promise<ApiValue> {
  const { database } = coordinator
  const from = args.ref(0, 'self', 'host', coordinator)
  const advised = await askForEvacuation({ host, coordinator }, from)
  const plan = mergeEvacuation(planEvacuation(database, from), guestsOn(database, from), advised)
  return Object.fromEntries(
    [...plan].map(([vm, row]): [string, ApiValue] => [
      vm,
      row instanceof ApiFailure ? [row.code, ...row.params] : ['WLB', String(database.get('host', row.host).uuid)],
    ]),
  )
}

/** Twelve significant digits, and at least one behind the point. */
function starsText(stars: number): string {
  const text = String(Number(stars.toPrecision(12)))
  return /[.e]/.test(text) || !Number.isFinite(stars) ? text : `${text}.0`
}
