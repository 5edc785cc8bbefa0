/**
 * The commands that change what VMs do, and those about VM groups, tasks and messages. What takes long runs as a task of the pool, which
 * the command follows to its end.
 */
import { ApiFailure, type ApiValue, isApiMap, isApiSet } from '../../xapi/index.js'
import { type Command, commandTable, type Invocation } from './command.js'
import { findValue, isSet, Refusal, refusal, requireValue } from './command-line.js'
import { failureText, reasonInShort } from './failure-report.js'
import { type CliObject, listObjects } from './records.js'
import { classNamed, selectVms } from './selection.js'

type Run = Command['run']

export const VM_COMMANDS: readonly Command[] = commandTable([
  [
    'vm-start',
    '',
    'force on paused progress',
    'Starts VMs, on= a host or on the best one.',
    ['common', 'vm-selectors'],
    startVms,
  ],
  [
    'vm-resume',
    '',
    'force on progress',
    'Lets suspended VMs run again, on= a host or on the best one.',
    ['common', 'vm-selectors'],
    resumeVms,
  ],
  [
    'vm-suspend',
    '',
    'progress',
    'Saves VMs to disk and stops them.',
    ['common', 'vm-selectors'],
    onEach(['progress'], 'guests', followed('VM.suspend')),
  ],
  [
    'vm-shutdown',
    '',
    'force progress',
    'Shuts VMs down in order; with --force at once.',
    ['common', 'vm-selectors'],
    onEach(['progress'], 'guests', byForce(followed('VM.hard_shutdown'), followed('VM.clean_shutdown'))),
  ],
  [
    'vm-reboot',
    '',
    'force',
    'Reboots VMs in order; with --force at once.',
    ['common', 'vm-selectors'],
    onEach([], 'guests', byForce(called('VM.hard_reboot'), called('VM.clean_reboot'))),
  ],
  [
    'vm-pause',
    '',
    '',
    'Stops VMs where they are, in memory.',
    ['common', 'vm-selectors'],
    onEach([], 'guests', called('VM.pause')),
  ],
  [
    'vm-unpause',
    '',
    '',
    'Lets paused VMs go on.',
    ['common', 'vm-selectors'],
    onEach([], 'guests', called('VM.unpause')),
  ],
  [
    'vm-migrate',
    '',
    'live host host-uuid force compress',
    'Moves VMs to another host of the pool while they run.',
    ['common', 'vm-selectors'],
    migrateVms,
  ],
  [
    'vm-reset-powerstate',
    '',
    'force',
    'Notes that VMs do not run, for when their host is lost. Needs --force.',
    ['common', 'vm-selectors'],
    resetPowerState,
  ],
])

export const POOL_OBJECT_COMMANDS: readonly Command[] = commandTable([
  [
    'vm-group-create',
    'name-label placement',
    'name-description',
    'Makes a group of VMs: placement is normal or anti_affinity.',
    [],
    createGroup,
  ],
  ['vm-group-destroy', 'uuid', '', 'Removes a group; its VMs stay.', [], onUuid('VM_group', 'VM_group.destroy')],
  ['task-cancel', 'uuid', '', 'Asks a task to stop.', [], onUuid('task', 'task.cancel')],
  ['pbd-plug', 'uuid', '', 'Attaches the storage repository to the host.', [], onUuid('PBD', 'PBD.plug')],
  ['pbd-unplug', 'uuid', '', 'Detaches the storage repository from the host.', [], onUuid('PBD', 'PBD.unplug')],
  [
    'message-create',
    'name priority body',
    'vm-uuid host-uuid sr-uuid pool-uuid',
    'Makes a message about one object, named by its UUID.',
    [],
    createMessage,
  ],
  ['message-destroy', '', 'uuid uuids', 'Removes a message, or several with commas between.', [], destroyMessages],
])

/** What happens to one VM. */
type Step = (invocation: Invocation, vm: CliObject) => Promise<void>

/** Runs the step for each VM that is meant; of several all are tried, and those that failed are named at the end. */
function onEach(own: readonly string[], controlDomains: Parameters<typeof selectVms>[2], step: Step): Run {
  return async (invocation) => {
    const vms = await selectVms(invocation, own, controlDomains)
    await forEachObject(invocation, vms, (vm) => withMessages(invocation, vm, () => step(invocation, vm)))
  }
}

export async function forEachObject(
  { rpc }: Invocation,
  objects: readonly CliObject[],
  step: (object: CliObject) => Promise<void>,
): Promise<void> {
  const [only, ...more] = objects
  if (only && more.length === 0) return step(only)
  const failures: [uuid: string, text: string][] = []
  for (const object of objects) {
    try {
      await step(object)
    } catch (error) {
      failures.unshift([String(object.record.uuid), await failureText(error, rpc)]) // the pool names the last one first
    }
  }
  if (failures.length > 0) throw new Refusal({ kind: 'several', failures })
}

/** Messages of higher importance than `message-priority` (5) that came up meanwhile are shown. */
async function withMessages(
  { parameters, rpc, printer }: Invocation,
  vm: CliObject,
  work: () => Promise<void>,
): Promise<void> {
  const typed = findValue(parameters, 'message-priority') ?? ''
  const limit = /^\d+$/.test(typed) ? BigInt(typed) : 5n
  const since = new Date()
  await work()
  const found = await rpc('message.get', 'VM', vm.record.uuid ?? '', since).catch(() => ({}))
  for (const message of Object.values(isApiMap(found) ? found : {})) {
    if (!isApiMap(message) || typeof message.priority !== 'bigint' || message.priority >= limit) continue
    const time = message.timestamp instanceof Date ? message.timestamp.toISOString().replace(/-|\.\d+/g, '') : ''
    await printer.note(`Message: time=${time} priority=${message.priority} name='${message.name}'\n`)
  }
}

function called(method: string): Step {
  return async ({ rpc }, { ref }) => {
    await rpc(method, ref)
  }
}

function followed(method: string): Step {
  return (invocation, { ref }) => follow(invocation, method, ref)
}

function byForce(forced: Step, ordinary: Step): Step {
  return (invocation, vm) => (isSet(invocation.parameters, 'force') ? forced : ordinary)(invocation, vm)
}

const WAIT_S = 30

/** Starts a call as a task, waits for its end and removes it. @throws ApiFailure as the call does. */
async function follow({ parameters, rpc, printer }: Invocation, method: string, ...params: ApiValue[]): Promise<void> {
  const task = String(await rpc(`Async.${method}`, ...params))
  const showsProgress = findValue(parameters, 'progress') !== undefined
  try {
    let token = ''
    for (;;) {
      const record = await rpc('task.get_record', task)
      if (!isApiMap(record)) throw new Error('task.get_record gave no record')
      if (showsProgress) await printer.note(progressBar(Number(record.progress)))
      if (record.status !== 'pending') {
        if (showsProgress) await printer.note('\n')
        return endOf(task, record)
      }
      const batch = await rpc('event.from', [`task/${task}`], token, WAIT_S)
      token = isApiMap(batch) ? String(batch.token) : ''
    }
  } finally {
    await rpc('task.destroy', task).catch(() => '')
  }
}

function endOf(task: string, { status, error_info }: { readonly [field: string]: ApiValue }): void {
  if (status === 'success') return
  const [code, ...params] = isApiSet(error_info ?? '') ? Array.from(Object(error_info), String) : []
  throw status === 'failure' && code !== undefined
    ? new ApiFailure(code, params)
    : new ApiFailure('TASK_CANCELLED', [task])
}

const BAR_WIDTH = 70
const WHEEL = '|/-\\'

function progressBar(fraction: number): string {
  const percent = Math.floor(fraction * 100)
  return `\r ${String(percent).padStart(3)}% ${WHEEL[percent % WHEEL.length]} ${'#'.repeat(Math.floor(fraction * BAR_WIDTH))}`
}

function startVms(invocation: Invocation): Promise<void> {
  const { parameters } = invocation
  const [force, paused] = [isSet(parameters, 'force'), isSet(parameters, 'paused')]
  return onEach(['on', 'paused', 'progress'], 'with control domains', async (_, { ref }) => {
    const host = await hostNamed(invocation, findValue(parameters, 'on'))
    if (host !== undefined) return follow(invocation, 'VM.start_on', ref, host, paused, force)
    return reportingHosts(invocation, ref, () => follow(invocation, 'VM.start', ref, paused, force))
  })(invocation)
}

function resumeVms(invocation: Invocation): Promise<void> {
  const { parameters } = invocation
  const force = isSet(parameters, 'force')
  return onEach(['on', 'progress'], 'guests', async (_, { ref }) => {
    const host = await hostNamed(invocation, findValue(parameters, 'on'))
    if (host !== undefined) return follow(invocation, 'VM.resume_on', ref, host, false, force)
    return reportingHosts(invocation, ref, () => follow(invocation, 'VM.resume', ref, false, force))
  })(invocation)
}

/** When no host can take the VM, shows what is in the way on each. */
async function reportingHosts({ rpc, printer }: Invocation, vm: string, start: () => Promise<void>): Promise<void> {
  try {
    await start()
  } catch (error) {
    if (error instanceof ApiFailure && error.code === 'NO_HOSTS_AVAILABLE') {
      await printer.list([
        'There are no suitable hosts to start this VM on.',
        'The following table provides per-host reasons for why the VM could not be started:',
        '',
      ])
      const rows = (await listObjects(classNamed('host'), rpc)).map(
        async ({ ref, record }): Promise<[string, string]> => [
          String(record.name_label),
          await rpc('VM.assert_can_boot_here', vm, ref).then(
            () => 'OK',
            async (reason) => `Cannot start here [${await reasonInShort(reason, rpc)}]`,
          ),
        ],
      )
      await printer.table([await Promise.all(rows)])
    }
    throw error
  }
}

async function migrateVms(invocation: Invocation): Promise<void> {
  const { parameters, rpc } = invocation
  const compress = findValue(parameters, 'compress')
  const flags = ['force', 'live', 'copy'].map((name) => [name, String(isSet(parameters, name))])
  const options = Object.fromEntries([...(compress === undefined ? [] : [['compress', compress]]), ...flags])
  const name = parameters.find(([key]) => key === 'host' || key === 'host-uuid' || key === 'host-name')?.[1]
  if (name === undefined) throw refusal('No destination host specified')
  const host = await hostNamed(invocation, name)
  const own = ['host', 'host-uuid', 'host-name', 'live', 'compress']
  return onEach(own, 'with control domains', async (_, { ref }) => {
    await rpc('VM.pool_migrate', ref, host ?? '', options)
  })(invocation)
}

/** Undefined when none is named. */
async function hostNamed({ rpc }: Invocation, name: string | undefined): Promise<string | undefined> {
  if (name === undefined) return undefined
  const hosts = await listObjects(classNamed('host'), rpc)
  const found = hosts.find(({ record }) => record.name_label === name || record.uuid === name)
  if (!found) throw refusal(`Host ${name} not found`)
  return found.ref
}

async function resetPowerState(invocation: Invocation): Promise<void> {
  if (!isSet(invocation.parameters, 'force')) {
    throw refusal('This operation is dangerous and may cause data loss. This operation must be forced (use --force).')
  }
  await onEach([], 'guests', called('VM.power_state_reset'))(invocation)
}

function onUuid(className: string, method: string): Run {
  return async ({ parameters, rpc }) => {
    await rpc(method, await rpc(`${className}.get_by_uuid`, requireValue(parameters, 'uuid')))
  }
}

async function createGroup({ parameters, rpc, printer }: Invocation): Promise<void> {
  const group = await rpc('VM_group.create', {
    name_label: requireValue(parameters, 'name-label'),
    name_description: findValue(parameters, 'name-description') ?? '',
    placement: requireValue(parameters, 'placement'),
  })
  await printer.list([String(await rpc('VM_group.get_uuid', group))])
}

/** In the order in which a pool looks for them. */
const MESSAGE_SUBJECTS: readonly (readonly [key: string, cls: string])[] = [
  ['vm-uuid', 'VM'],
  ['pool-uuid', 'Pool'],
  ['sr-uuid', 'SR'],
  ['host-uuid', 'Host'],
]

async function createMessage({ parameters, rpc }: Invocation): Promise<void> {
  const priority = requireValue(parameters, 'priority')
  if (!/^-?\d+$/.test(priority)) throw refusal('Priority field should be an integer')
  const subject = MESSAGE_SUBJECTS.find(([key]) => findValue(parameters, key) !== undefined)
  if (!subject) throw refusal('Need one of: vm-uuid, host-uuid, sr-uuid or pool-uuid')
  const [key, cls] = subject
  const uuid = requireValue(parameters, key)
  await rpc(
    'message.create',
    requireValue(parameters, 'name'),
    BigInt(priority),
    cls,
    uuid,
    requireValue(parameters, 'body'),
  )
}

async function destroyMessages({ parameters, rpc }: Invocation): Promise<void> {
  const [one, several] = [findValue(parameters, 'uuid'), findValue(parameters, 'uuids')]
  if (one !== undefined && several !== undefined) throw refusal('Ambiguous arguments; need one of uuid, uuids')
  const uuids = one === undefined ? several?.split(',') : [one]
  if (!uuids) throw refusal('Need one of uuid, uuids')
  const messages = await Promise.all(uuids.map((uuid) => rpc('message.get_by_uuid', uuid)))
  await rpc('message.destroy_many', messages)
}
