/** One XenAPI method: what it is called, who may call it, where it runs, what it does. */
import { type ApiValue, isApiMap, isApiSet } from '../../xapi/index.js'
import { findClass } from '../database/classes.js'
import { wrongType } from '../database/field.js'
import type { Coordinator, LabHost } from '../host/host.js'
import type { Session } from '../host/sessions.js'

/** Where a call came in: over a network port, or on the host's own socket, which means root. */
export type Origin = 'network' | 'local'

export interface Call {
  readonly host: LabHost
  readonly origin: Origin
  readonly session: Session
  readonly args: Arguments
  /** The task of a call that runs in the background. */
  readonly task?: string | undefined
  /** @throws ApiFailure HOST_IS_SLAVE on a member. */
  readonly coordinator: Coordinator
}

/** A method without a session: logging in, and questions anyone may ask. */
export interface OpenCall {
  readonly host: LabHost
  readonly origin: Origin
  readonly args: Arguments
}

export type Method = {
  /** Fewest and most parameters behind the session. */
  readonly arity: readonly [number, number]
} & (
  | { readonly session: 'none'; readonly handle: (call: OpenCall) => ApiValue | Promise<ApiValue> }
  | {
      /** `pool`: hosts of the pool only. `local`: emergency sessions too. */
      readonly session: 'any' | 'pool' | 'local'
      /** `here`: on the host that was asked, whatever its role. */
      readonly runsOn: 'coordinator' | 'here'
      readonly changes: boolean
      readonly handle: (call: Call) => ApiValue | Promise<ApiValue>
    }
)

export type Methods = ReadonlyMap<string, Method>

type Handler = (call: Call) => ApiValue | Promise<ApiValue>

/** A method that only reads the database. */
export function reading(arity: number | readonly [number, number], handle: Handler): Method {
  return { arity: rangeOf(arity), session: 'any', runsOn: 'coordinator', changes: false, handle }
}

/** A method that changes something; its answer waits until the change is on the disk. */
export function changing(arity: number | readonly [number, number], handle: Handler): Method {
  return { arity: rangeOf(arity), session: 'any', runsOn: 'coordinator', changes: true, handle }
}

function rangeOf(arity: number | readonly [number, number]): readonly [number, number] {
  return typeof arity === 'number' ? [arity, arity] : arity
}

/** A method one host of the pool calls on another. */
export function poolInternal(arity: number, runsOn: 'coordinator' | 'here', handle: Handler): Method {
  return { arity: [arity, arity], session: 'pool', runsOn, changes: runsOn === 'coordinator', handle }
}

/** A method that works on the host asked, with an emergency session too. */
export function emergency(arity: number, handle: Handler): Method {
  return { arity: [arity, arity], session: 'local', runsOn: 'here', changes: false, handle }
}

/** The parameters behind the session, read as the types the method needs. A call names each one for its reader; the pool's refusals do not. */
export class Arguments {
  readonly #values: readonly ApiValue[]

  constructor(values: readonly ApiValue[]) {
    this.#values = values
  }

  get all(): readonly ApiValue[] {
    return this.#values
  }

  value(index: number): ApiValue {
    return this.#values[index] ?? ''
  }

  /** @throws ApiFailure INTERNAL_ERROR when the parameter is no text. */
  text(index: number, _name: string): string {
    const value = this.value(index)
    if (typeof value !== 'string') throw wrongType('string', value)
    return value
  }

  /** @throws ApiFailure INTERNAL_ERROR when the parameter is no boolean. */
  flag(index: number, _name: string): boolean {
    const value = this.value(index)
    if (typeof value !== 'boolean') throw wrongType('bool', value)
    return value
  }

  /** @throws ApiFailure INTERNAL_ERROR when the parameter is no number. */
  number(index: number, _name: string): number {
    const value = this.value(index)
    const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
    if (Number.isNaN(number) || typeof value === 'object' || typeof value === 'boolean') throw wrongType('float', value)
    return number
  }

  /** @throws ApiFailure INTERNAL_ERROR when the parameter is no set of texts. */
  texts(index: number, _name: string): string[] {
    const value = this.value(index)
    if (!isApiSet(value)) throw wrongType('set', value)
    return value.map((element) => {
      if (typeof element !== 'string') throw wrongType('string', element)
      return element
    })
  }

  /** @throws ApiFailure INTERNAL_ERROR when the parameter is no map to texts. */
  textMap(index: number, _name: string): [string, string][] {
    const value = this.value(index)
    if (!isApiMap(value)) throw wrongType('map', value)
    return Object.entries(value).map(([key, element]) => {
      if (typeof element !== 'string') throw wrongType('string', element)
      return [key, element]
    })
  }

  /** A reference to an object of a class. @throws ApiFailure HANDLE_INVALID when there is none. */
  ref(index: number, name: string, className: string, coordinator: Coordinator): string {
    const ref = this.text(index, name)
    if (!findClass(className)) throw new Error(`no class ${className}`)
    coordinator.database.get(className, ref)
    return ref
  }
}
