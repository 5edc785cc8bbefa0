/** The calls about hosts: in and out of service, emptied, switched off and on; and what attaches storage to them. */
import { randomUUID } from 'node:crypto'
import { ApiFailure, type ApiValue } from '../../../xapi/index.js'
import { type Call, changing, type Method, poolInternal, reading } from '../../api/method.js'
import { planEvacuation } from '../checks/evacuation-plan.js'
import { refuseDeparture } from '../checks/failover.js'
import { isHostLive, neededSrs } from '../checks/may-run.js'
import { freeBytes } from '../checks/memory.js'
import { BATCH_SIZE, evacuate } from '../running/evacuation.js'
import { disable, enable, powerDown, powerOn } from '../running/host-power.js'
import { refreshHost } from '../running/residence.js'
import { textOf } from '../values.js'

export const HOST_METHODS: readonly (readonly [string, Method])[] = [
  ['host.disable', changing([1, 2], disableHost)],
  ['host.enable', changing(1, enableHost)],
  ['host.evacuate', changing([1, 3], evacuateHost)],
  ['host.assert_can_evacuate', reading(1, assertCanEvacuate)],
  ['host.get_vms_which_prevent_evacuation', reading(1, whatPreventsEvacuation)],
  ['host.compute_free_memory', reading(1, computeFreeMemory)],
  [
    'host.compute_memory_overhead',
    reading(1, (call) => call.coordinator.database.get('host', hostOf(call)).memory_overhead ?? 0n),
  ],
  ['host.shutdown', changing(1, (call) => done(powerDown(call, hostOf(call), 'shutdown')))],
  ['host.reboot', changing(1, (call) => done(powerDown(call, hostOf(call), 'reboot')))],
  ['host.power_on', changing(1, (call) => done(powerOn(call, hostOf(call))))],
  ['host.set_power_on_mode', changing(3, setPowerOnMode)],
  ['host.migrate_receive', changing(3, migrateReceive)],
  ['host.lab_end', poolInternal(1, 'here', endHere)],
  ['PBD.plug', changing(1, (call) => attach(call, true))],
  ['PBD.unplug', changing(1, (call) => attach(call, false))],
]

async function done(work: Promise<void>): Promise<ApiValue> {
  await work
  return ''
}

function hostOf({ args, coordinator }: Call): string {
  return args.ref(0, 'host', 'host', coordinator)
}

function disableHost(call: Call): ApiValue {
  const host = hostOf(call)
  const enableAtStart = call.args.all.length < 2 || call.args.flag(1, 'auto_enable')
  if (call.coordinator.database.get('host', host).enabled === true) {
    const refusal = refuseDeparture(call.coordinator.database, host)
    if (refusal) throw refusal
  }
  disable(call.coordinator, host, enableAtStart)
  return ''
}

function enableHost(call: Call): ApiValue {
  const { database } = call.coordinator
  const host = hostOf(call)
  if (!isHostLive(database, database.get('host', host))) throw new ApiFailure('HOST_OFFLINE', [host])
  enable(call.coordinator, host)
  return ''
}

/** A batch size of 0 is the pool's own. The network is not looked at: all migrations take the management network. */
function evacuateHost(call: Call): Promise<ApiValue> {
  const given = call.args.all.length < 3 ? 0 : call.args.number(2, 'evacuate_batch_size')
  if (given < 0) throw new ApiFailure('INVALID_VALUE', ['evacuate_batch_size', String(given)])
  return done(evacuate(call, hostOf(call), given || BATCH_SIZE))
}

/** The old form: all refusals in one parameter. */
function assertCanEvacuate(call: Call): ApiValue {
  const refusals = refusalsOf(call).map(([, { code, params }]) => [code, ...params].join(','))
  if (refusals.length > 0) throw new ApiFailure('CANNOT_EVACUATE_HOST', [refusals.join('|')])
  return ''
}

function whatPreventsEvacuation(call: Call): ApiValue {
  return Object.fromEntries(refusalsOf(call).map(([vm, { code, params }]) => [vm, [code, ...params]]))
}

function refusalsOf(call: Call): [vm: string, refusal: ApiFailure][] {
  const plan = planEvacuation(call.coordinator.database, hostOf(call))
  return [...plan].flatMap(([vm, row]): [string, ApiFailure][] => (row instanceof ApiFailure ? [[vm, row]] : []))
}

function computeFreeMemory(call: Call): ApiValue {
  return BigInt(Math.max(0, freeBytes(call.coordinator.database, hostOf(call), 'dynamic_min')))
}

function setPowerOnMode(call: Call): ApiValue {
  const host = hostOf(call)
  call.coordinator.database.update('host', host, {
    power_on_mode: call.args.text(1, 'power_on_mode'),
    power_on_config: Object.fromEntries(call.args.textMap(2, 'power_on_config')),
  })
  refreshHost(call.coordinator.database, host)
  return ''
}

/** Where a migration with storage would be sent to; clients hand it back in `VM.assert_can_migrate`. */
function migrateReceive(call: Call): ApiValue {
  const { database, sessions, hostRef } = call.coordinator
  const host = hostOf(call)
  call.args.ref(1, 'network', 'network', call.coordinator)
  const address = textOf(database.get('host', host), 'address')
  const session = sessions.own(hostRef).ref
  const url = (path: string) => `https://${address}/services/${path}?session_id=${session}`
  return {
    host,
    SM: url('SM'),
    xenops: url('xenops'),
    session_id: session,
    master: `https://${call.host.settings.address}/`,
    token: randomUUID(),
  }
}

function endHere({ host, args }: Call): ApiValue {
  host.machine.end(args.text(0, 'how') === 'reboot' ? 'reboot' : 'shutdown')
  return ''
}

/** A repository that a VM on the host uses stays attached. */
function attach({ coordinator: { database }, args }: Call, currently_attached: boolean): ApiValue {
  const ref = args.text(0, 'self')
  const pbd = database.get('PBD', ref)
  if (!currently_attached) {
    const isUsed = database.rows('VM').some(([, vm]) => {
      return vm.resident_on === pbd.host && neededSrs(database, vm).includes(textOf(pbd, 'SR'))
    })
    if (isUsed) throw new ApiFailure('SR_IN_USE', [textOf(pbd, 'SR')])
  }
  if (pbd.currently_attached !== currently_attached) database.update('PBD', ref, { currently_attached })
  return ''
}
