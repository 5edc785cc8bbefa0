/** From text to a pool, or to what is wrong with the text: every problem names its place in the document. */
import { LIMITS, type Pool, poolDocument } from './pool-document.js'

export interface Problem {
  /** `vms[3].host`; empty for the document as a whole. */
  readonly path: string
  readonly problem: string
}

/** A pool that refers only to what it holds, or the first problems of the document. */
export type PoolReading =
  | { readonly state: 'read'; readonly pool: Pool }
  | { readonly state: 'refused'; readonly problems: readonly [Problem, ...Problem[]] }

/** More of them help nobody. */
const MOST_PROBLEMS = 20

/** Reads a document of `openwlb-pool/1`. The caller must not read more than `LIMITS.documentBytes` into memory. */
export function readPool(text: string): PoolReading {
  if (text.length > LIMITS.documentBytes)
    return refuse([{ path: '', problem: `larger than ${LIMITS.documentBytes} bytes` }])
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return refuse([{ path: '', problem: `not JSON: ${error instanceof Error ? error.message : String(error)}` }])
  }
  const tooMany = findTooMany(value)
  if (tooMany) return refuse([tooMany])
  const { success, data, error } = poolDocument.safeParse(value)
  if (!success) return refuse(error.issues.map(({ path, message }) => ({ path: describePath(path), problem: message })))
  return asReading(data)
}

/** Checks what a schema cannot: that names are unique and stand for something. */
export function asReading(pool: Pool): PoolReading {
  const problems = [...findReferenceProblems(pool)]
  return problems.length > 0 ? refuse(problems) : { state: 'read', pool }
}

function refuse(problems: readonly Problem[]): PoolReading {
  const [first = { path: '', problem: 'not a pool' }, ...more] = problems
  return { state: 'refused', problems: [first, ...more.slice(0, MOST_PROBLEMS - 1)] }
}

/** Counts come before the schema, which would check each of a million entries first. */
function findTooMany(value: unknown): Problem | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const lists: Readonly<Record<string, unknown>> = { ...value }
  for (const name of ['hosts', 'vms', 'rules'] as const) {
    const list = lists[name]
    if (Array.isArray(list) && list.length > LIMITS[name]) {
      return { path: name, problem: `${list.length} entries; at most ${LIMITS[name]} are read` }
    }
  }
  return undefined
}

function describePath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('')
}

function* findReferenceProblems({ pool, hosts, vms, rules }: Pool): Iterable<Problem> {
  const hostUuids = new Set(hosts.map(({ uuid }) => uuid))
  const vmUuids = new Set(vms.map(({ uuid }) => uuid))
  yield* findDuplicates('hosts', hosts)
  yield* findDuplicates('vms', vms)
  if (hosts.length > 0 && !hostUuids.has(pool.coordinator)) yield { path: 'pool.coordinator', problem: NO_HOST }
  for (const [index, vm] of vms.entries()) {
    if (vm.host !== null && !hostUuids.has(vm.host)) yield { path: `vms[${index}].host`, problem: NO_HOST }
    if (vm.host === null && (vm.state === 'running' || vm.state === 'paused')) {
      yield { path: `vms[${index}].host`, problem: `a VM that is ${vm.state} has a host` }
    }
  }
  for (const [index, rule] of rules.entries()) {
    for (const [at, uuid] of rule.vms.entries()) {
      if (!vmUuids.has(uuid)) yield { path: `rules[${index}].vms[${at}]`, problem: 'names no VM of this document' }
    }
    for (const [at, uuid] of (rule.hosts ?? []).entries()) {
      if (!hostUuids.has(uuid)) yield { path: `rules[${index}].hosts[${at}]`, problem: NO_HOST }
    }
    const needsHosts = rule.kind === 'pin' || rule.kind === 'avoid'
    if (needsHosts && !rule.hosts?.length)
      yield { path: `rules[${index}].hosts`, problem: `a rule "${rule.kind}" names hosts` }
  }
}
const NO_HOST = 'names no host of this document'

function* findDuplicates(list: 'hosts' | 'vms', entries: readonly { readonly uuid: string }[]): Iterable<Problem> {
  const first = new Map<string, number>()
  for (const [index, { uuid }] of entries.entries()) {
    const before = first.get(uuid)
    if (before !== undefined) yield { path: `${list}[${index}].uuid`, problem: `the same as ${list}[${before}].uuid` }
    else first.set(uuid, index)
  }
}
