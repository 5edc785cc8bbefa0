/** The calls about high availability: on and off, how many failures, what would happen (xapi_pool.ml, xapi_ha_vm_failover.ml). */
import { ApiFailure, type ApiValue } from '../../../xapi/index.js'
import { type Call, changing, type Method, reading } from '../../api/method.js'
import { isAgile, mostFailures, planExists, refreshFailoverFields } from '../checks/failover.js'
import { isHostLive } from '../checks/may-run.js'
import { freeBytes, vmBytes } from '../checks/memory.js'
import { pack } from '../checks/packing.js'
import { isRef, listOf, textOf } from '../values.js'

export const HA_METHODS: readonly (readonly [string, Method])[] = [
  ['pool.enable_ha', changing(2, enableHa)],
  ['pool.disable_ha', changing(0, disableHa)],
  ['pool.set_ha_host_failures_to_tolerate', changing(2, setFailuresToTolerate)],
  ['pool.set_ha_allow_overcommit', changing(2, setAllowOvercommit)],
  [
    'pool.ha_compute_max_host_failures_to_tolerate',
    reading(0, ({ coordinator }) => BigInt(mostFailures(coordinator.database))),
  ],
  ['pool.ha_compute_hypothetical_max_host_failures_to_tolerate', reading(1, computeHypothetical)],
  [
    'pool.ha_failover_plan_exists',
    reading(1, ({ coordinator, args }) => planExists(coordinator.database, args.number(0, 'n'))),
  ],
  ['pool.ha_compute_vm_failover_plan', reading(2, computeFailoverPlan)],
  ['pool.ha_schedule_plan_recomputation', changing(0, recompute)],
  ['VM.assert_agile', reading(1, assertAgile)],
]

/** The state file lies on the shared repository that is named, or on one of those that all hosts have. */
function enableHa({ coordinator: { database }, args }: Call): ApiValue {
  const { ref, record } = database.pool
  if (record.ha_enabled === true) throw new ApiFailure('HA_IS_ENABLED', [])
  const named = args.texts(0, 'heartbeat_srs')
  const shared = database.rows('SR').flatMap(([sr, { shared: isShared }]) => (isShared === true ? [sr] : []))
  for (const sr of named) {
    database.get('SR', sr)
    if (!shared.includes(sr)) throw new ApiFailure('HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED', [sr])
  }
  const statefiles = named.length > 0 ? named : shared.slice(0, 1)
  if (statefiles.length === 0) throw new ApiFailure('CANNOT_CREATE_STATE_FILE', [])
  const peers = database.rows('host').map(([, host]) => textOf(host, 'uuid'))
  for (const host of database.refs('host'))
    database.update('host', host, { ha_statefiles: statefiles, ha_network_peers: peers })
  database.update('pool', ref, {
    ha_enabled: true,
    ha_statefiles: statefiles,
    ha_configuration: Object.fromEntries(args.textMap(1, 'configuration')),
    ha_cluster_stack: 'xhad',
  })
  refreshFailoverFields(database)
  return ''
}

function disableHa({ coordinator: { database } }: Call): ApiValue {
  const { ref, record } = database.pool
  if (record.ha_enabled !== true) throw new ApiFailure('HA_NOT_ENABLED', [])
  for (const host of database.refs('host')) database.update('host', host, { ha_statefiles: [], ha_network_peers: [] })
  database.update('pool', ref, { ha_enabled: false, ha_statefiles: [], ha_configuration: {} })
  refreshFailoverFields(database)
  return ''
}

/** More than there is a plan for is refused, unless overcommitment is allowed. */
function setFailuresToTolerate({ coordinator: { database }, args }: Call): ApiValue {
  const wanted = args.number(1, 'value')
  if (!Number.isInteger(wanted) || wanted < 0) {
    throw new ApiFailure('INVALID_VALUE', ['ha_host_failures_to_tolerate', String(wanted)])
  }
  const { ref, record } = database.pool
  const isTooMuch = record.ha_enabled === true && record.ha_allow_overcommit !== true && !planExists(database, wanted)
  if (isTooMuch) throw new ApiFailure('HA_NO_PLAN', [])
  database.update('pool', ref, { ha_host_failures_to_tolerate: BigInt(wanted) })
  refreshFailoverFields(database)
  return ''
}

function setAllowOvercommit({ coordinator: { database }, args }: Call): ApiValue {
  database.update('pool', database.pool.ref, { ha_allow_overcommit: args.flag(1, 'value') })
  refreshFailoverFields(database)
  return ''
}

/** With other priorities, and the VMs where they are. */
function computeHypothetical({ coordinator: { database }, args }: Call): ApiValue {
  const entries = args.textMap(0, 'configuration')
  const wrong = entries.find(([, priority]) => !['restart', 'best-effort', ''].includes(priority))
  if (wrong) throw new ApiFailure('INVALID_VALUE', ['ha_restart_priority', wrong[1]])
  for (const [vm] of entries) database.get('VM', vm)
  const chosen = entries.flatMap(([vm, priority]) => (priority === 'restart' ? [vm] : []))
  return BigInt(mostFailures(database, chosen))
}

/** Where the named VMs would be restarted if the named hosts failed. */
function computeFailoverPlan({ coordinator: { database }, args }: Call): ApiValue {
  const failed = new Set(args.texts(0, 'failed_hosts'))
  const vms = args.texts(1, 'failed_vms')
  const live = database.rows('host').flatMap(([ref, host]) => {
    return host.enabled === true && isHostLive(database, host) && !failed.has(ref) ? [ref] : []
  })
  const free = new Map(live.map((host) => [host, Math.max(0, freeBytes(database, host, 'static_max'))]))
  const agile = vms.filter((vm) => isAgile(database, vm))
  const plan = pack(
    agile.map((vm) => ({ vm, bytes: vmBytes(database.get('VM', vm), 'static_max') })),
    free,
  )
  return Object.fromEntries(
    vms.map((vm): [string, ApiValue] => {
      const host = plan.get(vm)
      if (host !== undefined) return [vm, { host }]
      return [vm, { error_code: agile.includes(vm) ? 'HOST_NOT_ENOUGH_FREE_MEMORY' : 'VM_NOT_AGILE' }]
    }),
  )
}

function recompute({ coordinator: { database } }: Call): ApiValue {
  refreshFailoverFields(database)
  return ''
}

function assertAgile({ coordinator, args }: Call): ApiValue {
  const { database } = coordinator
  const vm = args.ref(0, 'self', 'VM', coordinator)
  if (isAgile(database, vm)) return ''
  const devices = [...listOf(database.get('VM', vm), 'VGPUs'), ...listOf(database.get('VM', vm), 'VUSBs')].filter(isRef)
  throw devices.length > 0
    ? new ApiFailure('VM_HAS_PCI_ATTACHED', [vm])
    : new ApiFailure('HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED', [vm])
}
