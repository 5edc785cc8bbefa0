/**
 * The migration of a VM to another host (message_forwarding.ml `pool_migrate`, xapi_vm_migrate.ml): checks, memory reserved on the
 * target, the stream, the landing. It takes memory divided by bandwidth, and the speed of the lab makes it shorter.
 */
import { ApiFailure, NULL_REF } from '../../../xapi/index.js'
import type { ApiRecord, Database } from '../../database/database.js'
import { refuseArrival } from '../checks/failover.js'
import { checkCpu, isHostLive, refuseRun } from '../checks/may-run.js'
import { mapOf, numberOf, objectOf, objectsOf, textOf } from '../values.js'
import { nameHost, writeMessage } from './messages.js'
import { type Operator, type OwnTask, onHost, onVm, underTask } from './operation.js'
import { noteCpu, settle } from './residence.js'
import { wait } from './running-operations.js'

export interface Move {
  readonly vm: string
  readonly host: string
  readonly force?: boolean
  /** The network of the stream; the management network unless given. */
  readonly network?: string | undefined
  /** The task of the evacuation this is part of. */
  readonly parent?: string
}

/** Moves a VM; resolves when it has landed. @throws ApiFailure as xapi says it; the VM is then where it was. */
export async function migrate(operator: Operator, { vm, host, force = false, network, parent }: Move): Promise<void> {
  const { database } = operator.coordinator
  const record = database.get('VM', vm)
  const cpu = force ? undefined : checkCpu({ vm: record, vmRef: vm, host: database.get('host', host), hostRef: host })
  if (cpu) throw cpu
  const work = (task: OwnTask) =>
    onVm(operator, task, vm, 'pool_migrate', () => moveUnder(operator, task, { vm, target: host, network }), !force)
  await underTask(operator, 'VM.pool_migrate', work, parent)
}

interface Target {
  readonly vm: string
  readonly target: string
  readonly network: string | undefined
}

async function moveUnder(operator: Operator, task: OwnTask, { vm, target, network }: Target): Promise<void> {
  const { host: labHost, coordinator } = operator
  const { database } = coordinator
  const source = textOf(database.get('VM', vm), 'resident_on')
  const refusal =
    refuseOlder(database, source, target) ??
    refuseLicence(database) ??
    refuseRun(database, { vm, host: target, cpu: false }) ??
    refuseArrival(database, vm, target) ??
    refuseNetwork(database, target, network)
  if (refusal) throw refusal
  await onHost(operator, task, target, 'vm_migrate', async () => {
    database.update('VM', vm, { scheduled_to_be_resident_on: target })
    try {
      await coordinator.operations.stream(source, target, task.signal, () =>
        streamMemory(operator, task, { vm, source, target, network }),
      )
    } catch (error) {
      if (!task.signal.aborted || task.signal.reason === 'cancelled') release(database, vm)
      throw error
    }
    settle(database, vm, target, labHost.now())
    noteCpu(database, vm, target)
    const name = textOf(database.get('VM', vm), 'name_label')
    const body = `VM '${name}' migrated from host: ${nameHost(database, source)} to host: ${nameHost(database, target)}`
    writeMessage(database, 'VM_MIGRATED', { cls: 'VM', ref: vm }, body, labHost.now())
  })
}

function release(database: Database, vm: string): void {
  if (database.find('VM', vm)) database.update('VM', vm, { scheduled_to_be_resident_on: NULL_REF })
}

interface Stream extends Target {
  readonly source: string
}

/** The progress of a task is written this many times. */
const STEPS = 10

async function streamMemory({ host, coordinator }: Operator, task: OwnTask, stream: Stream): Promise<void> {
  const { database, operations } = coordinator
  const { vm, source, target, network } = stream
  const bytes = numberOf(database.get('VM', vm), 'memory_target')
  for (let step = 1; step <= STEPS; step++) {
    const rates = [source, target].map((one) =>
      bytesPerSecond(adapterOf(database, one, network), database, operations.streamsOn(one)),
    )
    await wait((bytes / STEPS / Math.min(...rates) / host.settings.speed) * 1000, task.signal)
    assertBothLive(database, stream)
    task.progress(step / STEPS)
  }
}

function assertBothLive(database: Database, { vm, source, target }: Stream): void {
  if (!isHostLive(database, database.get('host', source))) throw new ApiFailure('CANNOT_CONTACT_HOST', [source])
  if (isHostLive(database, database.get('host', target))) return
  const params = [vm, source, target, 'The destination host is not live any more']
  throw new ApiFailure('VM_MIGRATE_FAILED', params)
}

/** What one stream reaches on an adapter of so many Mbit/s, and what all streams of a host reach together, in bytes a second. */
const BANDWIDTHS = [
  { leastMbit: 10_000, stream: 500e6, host: 1_100e6 },
  { leastMbit: 0, stream: 110e6, host: 115e6 },
] as const

function bytesPerSecond(adapter: ApiRecord | undefined, database: Database, streams: number): number {
  const metrics = adapter && objectOf(database, 'PIF_metrics', adapter, 'metrics')
  const mbit = metrics ? numberOf(metrics, 'speed') : 0
  const { stream, host } = BANDWIDTHS.find(({ leastMbit }) => mbit >= leastMbit) ?? BANDWIDTHS[1]
  return Math.min(stream, host / Math.max(1, streams))
}

/** The adapter of a host that a stream takes. */
function adapterOf(database: Database, hostRef: string, network: string | undefined): ApiRecord | undefined {
  const adapters = objectsOf(database, 'PIF', database.get('host', hostRef), 'PIFs')
  return adapters.find((pif) => (network === undefined ? pif.management === true : pif.network === network))
}

/** The target needs an address on the network that is named. */
function refuseNetwork(database: Database, target: string, network: string | undefined): ApiFailure | undefined {
  if (network === undefined) return undefined
  database.get('network', network)
  const adapter = adapterOf(database, target, network)
  if (adapter && textOf(adapter, 'IP') !== '') return undefined
  const found = database.rows('PIF').find(([, pif]) => pif === adapter)
  return new ApiFailure('INTERFACE_HAS_NO_IP', [found?.[0] ?? NULL_REF])
}

/** While hosts differ in version, a VM goes to an equal or newer one only. */
function refuseOlder(database: Database, source: string, target: string): ApiFailure | undefined {
  const versionOf = (ref: string) => mapOf(database.get('host', ref), 'software_version').product_version ?? ''
  const compared = versionOf(target).localeCompare(versionOf(source), 'en', { numeric: true })
  return compared < 0 ? new ApiFailure('NOT_SUPPORTED_DURING_UPGRADE', []) : undefined
}

function refuseLicence(database: Database): ApiFailure | undefined {
  const isRestricted = mapOf(database.pool.record, 'restrictions').restrict_xen_motion === 'true'
  return isRestricted ? new ApiFailure('LICENSE_RESTRICTION', ['Xen_motion']) : undefined
}
