/**
 * The configuration dictionary of a pool: the defaults of a new pool, and the rules for changes
 * (docs/protocol/wlb.md, the configuration dictionary).
 */
import { CONTROL_KEYS, findKey, HOST_KEYS, IGNORED_KEYS, POOL_KEYS, READ_ONLY_KEYS } from './configuration-keys.js'
import { checkValue } from './configuration-rules.js'
import { applyTaskChanges, hasActiveTask, isTaskKey, readTaskChange } from './configuration-tasks.js'
import type { Pair } from './operation.js'

type ConfigurationChange =
  | { readonly state: 'changed'; readonly configuration: Map<string, string> }
  | ConfigurationRefusal

/** Nothing was changed; `code` is one of RESULT_CODES, `message` names `key`. */
interface ConfigurationRefusal {
  readonly state: 'refused'
  readonly code: 4007 | 4011 | 4023
  readonly key: string
  readonly message: string
}

/** A pool of 64 hosts needs about 500. The whole dictionary is one answer, which a pool keeps in memory and in its log. */
const MOST_KEYS = 10_000

/** Returns every key with its default, for the pool and each host. `wlbVersion` has two numbers and is at least 6.5. */
export function defaultPoolConfiguration(hostUuids: readonly string[], wlbVersion: string): Map<string, string> {
  return completeConfiguration(new Map(), hostUuids, wlbVersion)
}

/**
 * Returns `stored` with the default of every missing key: keys of a host that joined later, and keys of a newer release.
 * Keys of a host that left stay until the pool is removed; a console ignores them.
 */
export function completeConfiguration(
  stored: ReadonlyMap<string, string>,
  hostUuids: readonly string[],
  wlbVersion: string,
): Map<string, string> {
  const complete = new Map(POOL_KEYS.map(({ name, byDefault }) => [name, byDefault]))
  complete.set('CredentialsValid', 'true')
  for (const uuid of hostUuids) {
    for (const { name, byDefault } of HOST_KEYS) complete.set(`host_${uuid}_${name}`, byDefault)
  }
  for (const [key, value] of stored) complete.set(key, value)
  return complete.set('WlbVersion', wlbVersion)
}

/**
 * Applies all of `entries`, or none, to `current`. Known keys are recognised in any letter case and their values checked;
 * unknown keys are stored unchanged. If a key is sent twice, the last value counts.
 *
 * Host and task keys are applied with or without the control key that announces them. A host is known if it is in
 * `hostUuids` or already has keys, because a console sends back keys that it read before the host left.
 */
export function applyChanges(
  current: ReadonlyMap<string, string>,
  entries: readonly Pair[],
  hostUuids: readonly string[],
): ConfigurationChange {
  const configuration = new Map(current)
  const hosts = knownHosts(current, hostUuids)
  const taskChanges: { id: number; name: string; value: string }[] = []
  let deletesTasks = false

  for (const [key, value] of entries) {
    if (isOneOf(READ_ONLY_KEYS, key) || IGNORED_KEYS.test(key)) continue
    if (isTaskKey(key)) {
      const change = readTaskChange(key, value)
      if (change.state === 'refused') return refused(change.code, key, change.why)
      taskChanges.push(change)
      continue
    }
    const place = locate(key, hosts)
    if (place.state === 'refused') return place
    const checked = checkValue(place.rule, value)
    if (checked.state === 'refused') return refused(checked.code, key, checked.why)
    if (place.state === 'stored') configuration.set(place.key, checked.value)
    else if (place.key === 'delete_scheduled_task') deletesTasks = checked.value === 'true'
  }

  if (taskChanges.length > 0) {
    const tasks = applyTaskChanges(current, taskChanges, deletesTasks)
    if (tasks.state === 'refused') return refused(4007, tasks.key, tasks.why)
    for (const key of current.keys()) if (isTaskKey(key)) configuration.delete(key)
    for (const [key, value] of tasks.entries) configuration.set(key, value)
  }
  const [newest = ''] = [...configuration.keys()].slice(MOST_KEYS)
  if (newest !== '' && configuration.size > current.size)
    return refused(4007, newest, 'finds no room in the dictionary')
  // A console cannot open its page when schedules are enabled and there is no active task.
  const scheduled = configuration.get('EnableOptimizationModeSchedules') === 'true'
  if (scheduled && !hasActiveTask(configuration)) configuration.set('EnableOptimizationModeSchedules', 'false')
  return { state: 'changed', configuration }
}

type Place =
  | { readonly state: 'stored' | 'control'; readonly key: string; readonly rule: Parameters<typeof checkValue>[0] }
  | ConfigurationRefusal

/** Host uuids as spelled in the keys, by their lower-case form. */
type KnownHosts = ReadonlyMap<string, string>

/** Finds the spelling under which a key is stored, and the rule for its value. */
function locate(key: string, hosts: KnownHosts): Place {
  const control = CONTROL_KEYS.find((name) => name === key.toLowerCase())
  if (control) return { state: 'control', key: control, rule: { kind: 'boolean' } }
  const known = findKey(POOL_KEYS, key)
  if (known) return { state: 'stored', key: known.name, rule: known.rule }
  if (/^host_/i.test(key)) return locateHostKey(key, hosts)
  if (key === '') return refused(4007, key, 'is empty')
  return { state: 'stored', key, rule: { kind: 'text' } }
}

/** Consoles split these keys at every underscore, so the name must not contain one. */
function locateHostKey(key: string, hosts: KnownHosts): Place {
  const [, uuid = '', name = '', ...more] = key.split('_')
  if (uuid === '' || name === '' || more.length > 0) return refused(4007, key, 'must be host_, a uuid, _ and a name')
  const host = hosts.get(uuid.toLowerCase())
  if (host === undefined) return refused(4023, key, 'names a host that is not in this pool')
  const known = findKey(HOST_KEYS, name)
  return { state: 'stored', key: `host_${host}_${known?.name ?? name}`, rule: known?.rule ?? { kind: 'text' } }
}

function knownHosts(current: ReadonlyMap<string, string>, hostUuids: readonly string[]): KnownHosts {
  const stored = [...current.keys()].filter((key) => key.startsWith('host_')).map((key) => key.split('_')[1] ?? '')
  return new Map([...stored, ...hostUuids].map((uuid) => [uuid.toLowerCase(), uuid]))
}

function isOneOf(names: readonly string[], key: string): boolean {
  return names.some((name) => name.toLowerCase() === key.toLowerCase())
}

function refused(code: ConfigurationRefusal['code'], key: string, why: string): ConfigurationRefusal {
  return { state: 'refused', code, key, message: `${key || 'a key'} ${why}` }
}
