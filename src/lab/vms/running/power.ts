/**
 * Starting and ending VMs (message_forwarding.ml, xapi_vm.ml). A guest of the lab boots and shuts down in a moment, whatever the speed
 * of the lab.
 */
import { ApiFailure, NULL_REF } from '../../../xapi/index.js'
import type { Database } from '../../database/database.js'
import { refuseArrival } from '../checks/failover.js'
import { isHostLive, refuseRun } from '../checks/may-run.js'
import type { VmOperation } from '../checks/vm-operations.js'
import { isRef, listOf, numberOf, textOf } from '../values.js'
import { type MessageName, nameHost, writeMessage } from './messages.js'
import { type Operator, type OwnTask, onHost, onVm, underTask } from './operation.js'
import { depart, noteBoot, noteCpu, settle } from './residence.js'
import { wait } from './running-operations.js'
import { placeVm } from './wlb-advice.js'

const START_MS = 50
const END_MS = 50

export interface Start {
  readonly vm: string
  /** Where; chosen by WLB or by the pool unless given. */
  readonly host?: string | undefined
  readonly paused: boolean
}

export function start(operator: Operator, { vm, host, paused }: Start): Promise<void> {
  const operation = host === undefined ? 'start' : 'start_on'
  return underTask(operator, `VM.${operation}`, (task) =>
    onVm(operator, task, vm, operation, () => bringUp(operator, task, { vm, host, paused }, 'started')),
  )
}

export function resume(operator: Operator, { vm, host, paused }: Start): Promise<void> {
  const operation = host === undefined ? 'resume' : 'resume_on'
  return underTask(operator, `VM.${operation}`, (task) =>
    onVm(operator, task, vm, operation, async () => {
      await bringUp(operator, task, { vm, host, paused }, 'resumed')
      removeSuspendImage(operator.coordinator.database, vm)
    }),
  )
}

async function bringUp(
  operator: Operator,
  task: OwnTask,
  { vm, host: given, paused }: Start,
  how: 'started' | 'resumed',
) {
  const { host: labHost, coordinator } = operator
  const { database } = coordinator
  if (given !== undefined) database.get('host', given)
  const host = given ?? (await placeVm(operator, task, vm))
  if (host === undefined) throw new ApiFailure('NO_HOSTS_AVAILABLE', [])
  const refusal = refuseRun(database, { vm, host }) ?? refuseArrival(database, vm, host)
  if (refusal) throw refusal
  await onHost(operator, task, host, how === 'started' ? 'vm_start' : 'vm_resume', async () => {
    database.update('VM', vm, { scheduled_to_be_resident_on: host })
    try {
      await wait(START_MS, task.signal)
      if (!isHostLive(database, database.get('host', host))) throw new ApiFailure('HOST_OFFLINE', [host])
    } catch (error) {
      database.update('VM', vm, { scheduled_to_be_resident_on: NULL_REF })
      throw error
    }
    const now = labHost.now()
    if (textOf(database.get('VM', vm), 'ha_restart_priority') === 'restart') {
      database.update('VM', vm, { ha_always_run: true })
    }
    if (how === 'started') noteBoot(database, vm, host, now)
    else noteCpu(database, vm, host)
    settle(database, vm, host, now, paused ? 'Paused' : 'Running')
    const body = `VM '${nameOf(database, vm)}' ${how} on host: ${nameHost(database, host)}`
    writeMessage(database, how === 'started' ? 'VM_STARTED' : 'VM_RESUMED', { cls: 'VM', ref: vm }, body, now)
  })
}

/** Ends a VM in order or at once; a suspended one loses its memory. */
export function shutDown(operator: Operator, vm: string, operation: 'clean_shutdown' | 'hard_shutdown'): Promise<void> {
  return end(operator, vm, operation, 'Halted', 'VM_SHUTDOWN', 'shutdown')
}

export async function suspend(operator: Operator, vm: string): Promise<void> {
  await end(operator, vm, 'suspend', 'Suspended', 'VM_SUSPENDED', 'suspended')
}

async function end(
  operator: Operator,
  vm: string,
  operation: VmOperation,
  state: 'Halted' | 'Suspended',
  message: MessageName,
  word: string,
): Promise<void> {
  const { host, coordinator } = operator
  const { database } = coordinator
  await underTask(operator, `VM.${operation}`, (task) =>
    onVm(operator, task, vm, operation, async () => {
      assertReachable(database, vm)
      await wait(END_MS, task.signal)
      const now = host.now()
      database.update('VM', vm, { ha_always_run: false })
      if (state === 'Suspended') addSuspendImage(database, vm)
      else removeSuspendImage(database, vm)
      depart(database, vm, state, now)
      writeMessage(database, message, { cls: 'VM', ref: vm }, `VM '${nameOf(database, vm)}' ${word}`, now)
    }),
  )
}

/** Reboots a VM, which stays where it is. */
export async function reboot(operator: Operator, vm: string, operation: 'clean_reboot' | 'hard_reboot'): Promise<void> {
  const { host, coordinator } = operator
  const { database } = coordinator
  await underTask(operator, `VM.${operation}`, (task) =>
    onVm(operator, task, vm, operation, async () => {
      assertReachable(database, vm)
      await wait(END_MS + START_MS, task.signal)
      const residence = textOf(database.get('VM', vm), 'resident_on')
      noteBoot(database, vm, residence, host.now())
      settle(database, vm, residence, host.now())
      const body = `VM '${nameOf(database, vm)}' rebooted`
      writeMessage(database, 'VM_REBOOTED', { cls: 'VM', ref: vm }, body, host.now())
    }),
  )
}

/** Stops or continues a VM's processors; it keeps its memory and its host. */
export async function setPaused(operator: Operator, vm: string, operation: 'pause' | 'unpause'): Promise<void> {
  const { database } = operator.coordinator
  await underTask(operator, `VM.${operation}`, (task) =>
    onVm(operator, task, vm, operation, async () => {
      assertReachable(database, vm)
      database.update('VM', vm, { power_state: operation === 'pause' ? 'Paused' : 'Running' })
    }),
  )
}

/** What is done to a running VM is done by its host. */
function assertReachable(database: Database, vm: string): void {
  const residence = textOf(database.get('VM', vm), 'resident_on')
  if (!isRef(residence)) return
  if (!isHostLive(database, database.get('host', residence))) throw new ApiFailure('HOST_OFFLINE', [residence])
}

function addSuspendImage(database: Database, vmRef: string): void {
  const vm = database.get('VM', vmRef)
  const own = textOf(vm, 'suspend_SR')
  const sr = isRef(own) ? own : textOf(database.pool.record, 'suspend_image_SR')
  const record = database.find('SR', sr)
  if (!record) throw new ApiFailure('VM_NO_SUSPEND_SR', [vmRef])
  const size = BigInt(numberOf(vm, 'memory_target'))
  const disk = database.create('VDI', {
    name_label: 'Suspend image',
    SR: sr,
    type: 'suspend',
    virtual_size: size,
    physical_utilisation: size,
  })
  database.update('SR', sr, { VDIs: [...listOf(record, 'VDIs'), disk] })
  database.update('VM', vmRef, { suspend_VDI: disk })
}

function removeSuspendImage(database: Database, vmRef: string): void {
  const disk = textOf(database.get('VM', vmRef), 'suspend_VDI')
  const record = database.find('VDI', disk)
  if (!record) return
  const sr = textOf(record, 'SR')
  const repository = database.find('SR', sr)
  if (repository) database.update('SR', sr, { VDIs: listOf(repository, 'VDIs').filter((ref) => ref !== disk) })
  database.destroy('VDI', disk)
  database.update('VM', vmRef, { suspend_VDI: NULL_REF })
}

function nameOf(database: Database, vm: string): string {
  return textOf(database.get('VM', vm), 'name_label')
}
