/**
 * Scheduled changes of the optimisation mode, stored in the dictionary as `schedTask_<id>_<Name>`. A console creates a task by
 * sending an id that is not positive, and may send it again before it has read the id that the appliance assigned.
 */
import { findKey, TASK_KEYS } from './configuration-keys.js'
import { checkValue, LARGEST_WHOLE } from './configuration-rules.js'
import type { Pair } from './operation.js'

/** A task's fields by name. */
type Fields = ReadonlyMap<string, string>

export type TaskChange =
  | { readonly state: 'task'; readonly id: number; readonly name: string; readonly value: string }
  | { readonly state: 'refused'; readonly code: 4007 | 4011; readonly why: string }

export type ChangedTasks =
  | { readonly state: 'changed'; readonly entries: readonly Pair[] }
  | { readonly state: 'refused'; readonly key: string; readonly why: string }

const PREFIX = 'schedTask_'

export function isTaskKey(key: string): boolean {
  return key.toLowerCase().startsWith(PREFIX.toLowerCase())
}

/** Reads one `schedTask_` entry. Consoles split these keys at every underscore, so the name must not contain one. */
export function readTaskChange(key: string, value: string): TaskChange {
  const [id = '', name = '', ...more] = key.slice(PREFIX.length).split('_')
  if (!/^(?:0|-?[1-9]\d{0,9})$/.test(id) || Number(id) > LARGEST_WHOLE || name === '' || more.length > 0) {
    return { state: 'refused', code: 4007, why: 'must be schedTask_, a whole number, _ and a name' }
  }
  const known = findKey(TASK_KEYS, name)
  if (!known) return { state: 'task', id: Number(id), name, value }
  const checked = checkValue(known.rule, value)
  if (checked.state === 'refused') return checked
  return { state: 'task', id: Number(id), name: known.name, value: checked.value }
}

/**
 * Applies `changes`, in order, to the tasks in `current`, and returns the entries of all remaining tasks. With `deleteNamed`,
 * an older way of deleting, every task in `changes` is deleted.
 */
export function applyTaskChanges(
  current: ReadonlyMap<string, string>,
  changes: readonly { readonly id: number; readonly name: string; readonly value: string }[],
  deleteNamed: boolean,
): ChangedTasks {
  const tasks = readTasks(current)
  let highest = Math.max(0, ...tasks.keys(), ...changes.map(({ id }) => id))
  for (const [id, sent] of groupById(changes)) {
    const twin = id > 0 ? id : findTwin(tasks, sent)
    if (deleteNamed || sent.get('TaskDelete') === 'true') {
      tasks.delete(id)
      continue
    }
    const merged = new Map([...(twin === undefined ? [] : (tasks.get(twin) ?? [])), ...sent])
    merged.delete('TaskDelete')
    // A console cannot open its page at all when a task has no mode.
    if (!merged.has('OptMode')) return { state: 'refused', key: `${PREFIX}${id}_OptMode`, why: 'is missing' }
    highest += twin === undefined ? 1 : 0
    if (highest > LARGEST_WHOLE) return { state: 'refused', key: `${PREFIX}${id}_OptMode`, why: 'finds no free id' }
    tasks.set(twin ?? highest, merged)
  }
  const entries = [...tasks].flatMap(([id, fields]) =>
    [...fields].map(([name, value]): Pair => [`${PREFIX}${id}_${name}`, value]),
  )
  return { state: 'changed', entries }
}

/** Whether any task in `configuration` is enabled on at least one day of the week. */
export function hasActiveTask(configuration: ReadonlyMap<string, string>): boolean {
  return [...readTasks(configuration).values()].some(
    (fields) => fields.get('TaskEnabled') === 'true' && Number(fields.get('TriggerDaysOfWeek') ?? '0') > 0,
  )
}

function readTasks(configuration: ReadonlyMap<string, string>): Map<number, Fields> {
  const changes = [...configuration]
    .filter(([key]) => isTaskKey(key))
    .map(([key, value]) => readTaskChange(key, value))
    .filter((change) => change.state === 'task')
  return groupById(changes)
}

function groupById(changes: readonly { id: number; name: string; value: string }[]): Map<number, Map<string, string>> {
  const tasks = new Map<number, Map<string, string>>()
  for (const { id, name, value } of changes) {
    const fields = tasks.get(id) ?? new Map<string, string>()
    tasks.set(id, fields.set(name, value))
  }
  return tasks
}

/** Finds a task with the same trigger and mode: the one the console created before it knew the id. */
function findTwin(tasks: ReadonlyMap<number, Fields>, sent: Fields): number | undefined {
  return [...tasks].find(([, fields]) => describeTrigger(fields) === describeTrigger(sent))?.[0]
}

/** Of the execution time only the time of day counts. */
function describeTrigger(fields: Fields): string {
  const time = (fields.get('TriggerExecuteTime') ?? '').slice(11, 16)
  return [fields.get('TriggerDaysOfWeek'), time, fields.get('OptMode')].join('|')
}
