/**
 * How an operation runs: under a task that shows its progress and can cancel it, and entered in `current_operations` of what it works
 * on, which keeps others from it.
 */
import { ApiFailure } from '../../../xapi/index.js'
import type { Database } from '../../database/database.js'
import type { Coordinator, LabHost } from '../../host/host.js'
import { type HostOperation, refuseHostOperation } from '../checks/host-operations.js'
import { refuseOperation, type VmOperation } from '../checks/vm-operations.js'
import { listOf, mapOf } from '../values.js'
import { refreshHost, refreshVm } from './residence.js'

/** Who carries an operation out. */
export interface Operator {
  readonly host: LabHost
  readonly coordinator: Coordinator
  /** The task of a call that runs in the background; other calls get one for as long as they run. */
  readonly task?: string | undefined
}

export interface OwnTask {
  readonly ref: string
  /** Aborted when the task is cancelled, or this host is coordinator no more. */
  readonly signal: AbortSignal
  readonly progress: (fraction: number) => void
}

/** Runs `work` under the task of the call, or under one of its own. */
export async function underTask<T>(
  { host, coordinator, task: given }: Operator,
  label: string,
  work: (task: OwnTask) => Promise<T>,
  parent?: string,
): Promise<T> {
  const { database, operations, hostRef } = coordinator
  const ref =
    given ??
    database.create('task', {
      name_label: label,
      created: host.now(),
      resident_on: hostRef,
      ...(parent !== undefined && { subtask_of: parent }),
    })
  if (given === undefined && parent !== undefined) addSubtask(database, parent, ref)
  const signal = operations.begin(ref)
  const set = (values: Parameters<Database['update']>[2]) => {
    if (database.find('task', ref)) database.update('task', ref, values)
  }
  set({ allowed_operations: ['cancel'] })
  try {
    return await work({ ref, signal, progress: (fraction) => set({ progress: fraction }) })
  } catch (error) {
    throw signal.aborted ? endedEarly(signal, ref) : error
  } finally {
    operations.end(ref)
    set({ allowed_operations: [] })
    if (given === undefined) database.destroy('task', ref)
  }
}

function endedEarly(signal: AbortSignal, task: string): ApiFailure {
  if (signal.reason === 'cancelled') return new ApiFailure('TASK_CANCELLED', [task])
  return new ApiFailure('INTERNAL_ERROR', ['this host is not the coordinator any more'])
}

function addSubtask(database: Database, parent: string, ref: string): void {
  const record = database.find('task', parent)
  if (record) database.update('task', parent, { subtasks: [...listOf(record, 'subtasks'), ref] })
}

/** Runs `work` as an operation on a VM. @throws ApiFailure when the VM's state does not allow it. */
export async function onVm<T>(
  { coordinator: { database } }: Pick<Operator, 'coordinator'>,
  task: OwnTask,
  vm: string,
  operation: VmOperation,
  work: () => Promise<T>,
  strict = true,
): Promise<T> {
  const refusal = refuseOperation(database, vm, operation, strict)
  if (refusal) throw refusal
  enter(database, 'VM', vm, task.ref, operation)
  refreshVm(database, vm)
  try {
    return await work()
  } finally {
    leave(database, 'VM', vm, task.ref)
    if (database.find('VM', vm)) refreshVm(database, vm)
  }
}

/** Runs `work` as an operation on a host. @throws ApiFailure when the host's state does not allow it. */
export async function onHost<T>(
  { coordinator: { database } }: Pick<Operator, 'coordinator'>,
  task: OwnTask,
  host: string,
  operation: HostOperation,
  work: () => Promise<T>,
): Promise<T> {
  const refusal = refuseHostOperation(database, host, operation)
  if (refusal) throw refusal
  enter(database, 'host', host, task.ref, operation)
  refreshHost(database, host)
  try {
    return await work()
  } finally {
    leave(database, 'host', host, task.ref)
    if (database.find('host', host)) refreshHost(database, host)
  }
}

function enter(database: Database, className: string, ref: string, task: string, operation: string): void {
  const current_operations = { ...mapOf(database.get(className, ref), 'current_operations'), [task]: operation }
  database.update(className, ref, { current_operations })
}

function leave(database: Database, className: string, ref: string, task: string): void {
  const record = database.find(className, ref)
  if (!record) return
  const { [task]: _, ...current_operations } = mapOf(record, 'current_operations')
  database.update(className, ref, { current_operations })
}
