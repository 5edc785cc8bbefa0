/** The calls about messages (xapi_message.ml): each is about an object that there is. */
import { ApiFailure, type ApiValue } from '../../../xapi/index.js'
import { type Call, changing, type Method, reading } from '../../api/method.js'
import { coerce } from '../../database/field.js'

export const MESSAGE_METHODS: readonly (readonly [string, Method])[] = [
  ['message.create', changing(5, create)],
  ['message.destroy', changing(1, destroy)],
  ['message.destroy_many', changing(1, destroyMany)],
  ['message.get', reading(3, messagesOf)],
  ['message.get_since', reading(1, messagesSince)],
]

/** What a message can be about, and the class of its object; the lab has no objects of the last three. */
const SUBJECTS = new Map([
  ['VM', 'VM'],
  ['Host', 'host'],
  ['SR', 'SR'],
  ['Pool', 'pool'],
  ['VDI', 'VDI'],
  ['Certificate', 'Certificate'],
  ['VMPP', undefined],
  ['VMSS', undefined],
  ['PVS_proxy', undefined],
])

function create({ host, coordinator: { database }, args }: Call): ApiValue {
  const [cls, uuid] = [args.text(2, 'cls'), args.text(3, 'obj_uuid')]
  if (!SUBJECTS.has(cls)) throw new ApiFailure('FIELD_TYPE_ERROR', ['cls'])
  const className = SUBJECTS.get(cls)
  const isKnown = className !== undefined && database.rows(className).some(([, record]) => record.uuid === uuid)
  if (!isKnown) throw new ApiFailure('UUID_INVALID', [cls, uuid])
  return database.create('message', {
    name: args.text(0, 'name'),
    priority: BigInt(args.number(1, 'priority')),
    cls,
    obj_uuid: uuid,
    body: args.text(4, 'body'),
    timestamp: host.now(),
  })
}

function destroy({ coordinator, args }: Call): ApiValue {
  coordinator.database.destroy('message', args.ref(0, 'self', 'message', coordinator))
  return ''
}

function messagesOf({ coordinator: { database }, args }: Call): ApiValue {
  const [cls, uuid, since] = [args.text(0, 'cls'), args.text(1, 'obj_uuid'), dateOf(args.value(2))]
  const isMeant = (message: Readonly<Record<string, ApiValue>>) => message.cls === cls && message.obj_uuid === uuid
  return Object.fromEntries(
    database.rows('message').filter(([, message]) => isMeant(message) && isSince(message, since)),
  )
}

function messagesSince({ coordinator: { database }, args }: Call): ApiValue {
  const since = dateOf(args.value(0))
  return Object.fromEntries(database.rows('message').filter(([, message]) => isSince(message, since)))
}

function dateOf(value: ApiValue): Date {
  const date = coerce({ type: 'datetime' }, value)
  return date instanceof Date ? date : new Date(0)
}

function isSince({ timestamp }: Readonly<Record<string, ApiValue>>, since: Date): boolean {
  return timestamp instanceof Date && timestamp.getTime() >= since.getTime()
}

function destroyMany({ coordinator: { database }, args }: Call): ApiValue {
  const refs = args.texts(0, 'messages')
  for (const ref of refs) database.get('message', ref)
  for (const ref of refs) database.destroy('message', ref)
  return ''
}
