/** The command `event-wait`: waits until an object of a class has the given values. */
import { type ApiValue, isApiMap, isApiSet } from '../../xapi/index.js'
import { type ApiClass, findClass } from '../database/classes.js'
import { type Command, commandTable, type Invocation, type Rpc } from './command.js'
import { type Parameters, refusal, requireValue, withoutKeys } from './command-line.js'
import { ClientGone } from './conversation.js'
import { type CliObject, describeObject, listObjects } from './records.js'
import { References } from './references.js'

/** The classes one can wait for; some have no objects in the lab. */
const CLASS_WORDS = 'vm vdi sr host network vif pif vbd pbd pool task subject role secret vmss'.split(' ')

const WAIT_S = 30

export const EVENT_COMMANDS: readonly Command[] = commandTable([
  [
    'event-wait',
    'class',
    '',
    'Waits until an object of the class has all the values given: FIELD=VALUE, or FIELD=/=VALUE for any other value.',
    [],
    waitForObject,
  ],
])

interface Condition {
  readonly key: string
  readonly value: string
  readonly isEqual: boolean
}

async function waitForObject(invocation: Invocation): Promise<void> {
  const { parameters, rpc, conversation } = invocation
  const word = requireValue(parameters, 'class')
  const conditions = readConditions(withoutKeys(parameters, 'class'))
  if (!CLASS_WORDS.includes(word)) throw refusal(`Cli listening for class '${word}' not currently implemented`)
  const owner = findClass(word)
  if (owner && (await anyMatches(await listObjects(owner, rpc), conditions))) return

  const gone = conversation.departure().then(() => {
    throw new ClientGone()
  })
  let token = ''
  for (;;) {
    const answer = await Promise.race([rpc('event.from', [word], token, WAIT_S), gone])
    if (!isApiMap(answer)) throw new Error('event.from gave no map')
    token = String(answer.token)
    if (owner && (await anyMatches(objectsIn(answer.events ?? [], owner, rpc), conditions))) return
  }
}

function readConditions(typed: Parameters): Condition[] {
  return typed.map(([key, value]) =>
    value.startsWith('/=') ? { key, value: value.slice(2), isEqual: false } : { key, value, isEqual: true },
  )
}

function objectsIn(events: ApiValue, owner: ApiClass, rpc: Rpc): CliObject[] {
  const references = new References(rpc)
  return (isApiSet(events) ? events : []).flatMap((event) => {
    if (!isApiMap(event) || event.snapshot === undefined || !isApiMap(event.snapshot)) return []
    return [describeObject(owner, String(event.ref), event.snapshot, rpc, references)]
  })
}

async function anyMatches(objects: readonly CliObject[], conditions: readonly Condition[]): Promise<boolean> {
  for (const { fields } of objects) {
    const verdicts = conditions.map(async ({ key, value, isEqual }) => {
      const field = fields.find(({ name }) => name === key)
      if (!field) throw refusal(`key missing: ${key}`)
      return ((await field.text()) === value) === isEqual
    })
    if ((await Promise.all(verdicts)).every((matches) => matches)) return true
  }
  return false
}
