/** Tasks and events: how clients wait (docs/protocol/pool.md, tasks and events). */
import { ApiFailure, type ApiValue, encodeXmlRpcResponse } from '../../xapi/index.js'
import { findClass } from '../database/classes.js'
import type { ApiRecord } from '../database/database.js'
import type { Coordinator } from '../host/host.js'
import { type Session, sessionInvalid } from '../host/sessions.js'
import { type Call, changing, type Method, reading } from './method.js'

const MAX_EVENT_WAIT_MS = 3_600_000
const LEGACY_EVENT_WAIT_MS = 30_000

export const TASK_METHODS: readonly [string, Method][] = [
  ['task.create', changing(2, create)],
  ['task.destroy', changing(1, destroy)],
  ['task.cancel', changing(1, cancel)],
  [
    'task.set_status',
    changing(2, ({ coordinator, args }) =>
      setField(coordinator, args.text(0, 'self'), { status: args.text(1, 'value') }),
    ),
  ],
  [
    'task.set_progress',
    changing(2, ({ coordinator, args }) =>
      setField(coordinator, args.text(0, 'self'), { progress: args.number(1, 'value') }),
    ),
  ],
  [
    'task.set_result',
    changing(2, ({ coordinator, args }) =>
      setField(coordinator, args.text(0, 'self'), { result: args.text(1, 'value') }),
    ),
  ],
  [
    'task.set_error_info',
    changing(2, ({ coordinator, args }) =>
      setField(coordinator, args.text(0, 'self'), { error_info: args.texts(1, 'value') }),
    ),
  ],
  ['event.from', reading(3, from)],
  ['event.inject', reading(2, inject)],
  ['event.register', reading(1, register)],
  ['event.unregister', reading(1, unregister)],
  ['event.next', reading(0, next)],
  ['event.get_current_id', reading(0, ({ coordinator }) => coordinator.events.currentId())],
]

/** Starts a task for a call that runs in the background. */
export function startTask({ database, hostRef }: Coordinator, label: string, now: Date): string {
  return database.create('task', { name_label: label, created: now, resident_on: hostRef })
}

/** Records how a call ended; the caller may have destroyed the task meanwhile. */
export function endTask(
  { database }: Coordinator,
  ref: string,
  now: Date,
  end: { readonly value: ApiValue } | { readonly failure: ApiFailure },
): void {
  if (!database.find('task', ref)) return
  const outcome: ApiRecord =
    'value' in end
      ? { status: 'success', result: encodeResult(end.value) }
      : {
          status: end.failure.code === 'TASK_CANCELLED' ? 'cancelled' : 'failure',
          error_info: [end.failure.code, ...end.failure.params],
        }
  database.update('task', ref, { ...outcome, progress: 1, finished: now })
}

/** A result is stored as the XML that an answer would carry. */
function encodeResult(value: ApiValue): string {
  if (value === '') return ''
  const answer = encodeXmlRpcResponse({ status: 'success', value })
  const start = answer.indexOf('<value>', answer.indexOf('<name>Value</name>'))
  return answer.slice(start, answer.lastIndexOf('</member>'))
}

function create({ host, coordinator, args }: Call): ApiValue {
  return coordinator.database.create('task', {
    name_label: args.text(0, 'label'),
    name_description: args.text(1, 'description'),
    created: host.now(),
    resident_on: coordinator.hostRef,
  })
}

function destroy({ coordinator, args }: Call): ApiValue {
  const ref = args.ref(0, 'self', 'task', coordinator)
  coordinator.database.destroy('task', ref)
  return ''
}

/** Operations on VMs and hosts can be cancelled as long as they run; other calls cannot. */
function cancel({ coordinator: { database, operations }, args }: Call): ApiValue {
  const ref = args.text(0, 'task')
  database.get('task', ref)
  if (!operations.cancel(ref)) throw new ApiFailure('OPERATION_NOT_ALLOWED', [`${ref} cannot be cancelled`])
  database.update('task', ref, { status: 'cancelling' })
  return ''
}

function setField({ database }: Coordinator, ref: string, values: ApiRecord): ApiValue {
  database.update('task', ref, values)
  return ''
}

async function from({ coordinator, session, args }: Call): Promise<ApiValue> {
  const timeoutMs = Math.min(Math.max(args.number(2, 'timeout') * 1000, 0), MAX_EVENT_WAIT_MS)
  const stopped = () => {
    assertLive(coordinator, session)
    return false
  }
  return coordinator.events.from(args.texts(0, 'classes'), args.text(1, 'token'), timeoutMs, stopped)
}

function inject({ coordinator, args }: Call): ApiValue {
  const owner = findClass(args.text(0, 'class'))
  if (!owner) throw new ApiFailure('INVALID_VALUE', ['class', args.text(0, 'class')])
  return coordinator.events.inject(owner.name, args.text(1, 'ref'))
}

function register({ coordinator, session, args }: Call): ApiValue {
  coordinator.events.subscribe(session.ref, args.texts(0, 'classes'))
  return ''
}

function unregister({ coordinator, session }: Call): ApiValue {
  coordinator.events.unsubscribe(session.ref)
  return ''
}

async function next({ coordinator, session }: Call): Promise<ApiValue> {
  return coordinator.events.next(session.ref, LEGACY_EVENT_WAIT_MS, () => assertLive(coordinator, session))
}

/** @throws ApiFailure SESSION_INVALID when the session has ended while its caller waited. */
function assertLive({ sessions }: Coordinator, { ref }: Session): void {
  if (!sessions.find(ref)) throw sessionInvalid(ref)
}
