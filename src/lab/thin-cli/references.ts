/** What `xe` asks about the objects that others point at: their UUIDs, and fields of theirs. */
import { ApiFailure, type ApiValue, isApiMap, NULL_REF } from '../../xapi/index.js'
import { NOT_IN_DATABASE } from '../database/field.js'
import type { Rpc } from './command.js'

export type ApiRecord = { readonly [key: string]: ApiValue }

/** UUIDs and records of objects by reference, each asked for once per command. */
export class References {
  readonly #rpc: Rpc
  readonly #uuids = new Map<string, Promise<string>>()
  readonly #records = new Map<string, Promise<ApiRecord | undefined>>()

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  uuidOf(className: string | undefined, ref: string): Promise<string> {
    if (className === undefined || ref === NULL_REF || ref === '') return Promise.resolve(NOT_IN_DATABASE)
    const known = this.#uuids.get(ref) ?? this.#ask(className, ref)
    this.#uuids.set(ref, known)
    return known
  }

  /** Undefined when there is no such object. */
  recordOf(className: string, ref: string): Promise<ApiRecord | undefined> {
    if (ref === NULL_REF || ref === '') return Promise.resolve(undefined)
    const known = this.#records.get(ref) ?? this.#fetch(className, ref)
    this.#records.set(ref, known)
    return known
  }

  async #ask(className: string, ref: string): Promise<string> {
    const uuid = await orUndefined(this.#rpc(`${className}.get_uuid`, ref))
    return uuid === undefined ? NOT_IN_DATABASE : String(uuid)
  }

  async #fetch(className: string, ref: string): Promise<ApiRecord | undefined> {
    const record = await orUndefined(this.#rpc(`${className}.get_record`, ref))
    return record !== undefined && isApiMap(record) ? record : undefined
  }
}

/** The objects that are asked for here may be gone by now. */
async function orUndefined(answer: Promise<ApiValue>): Promise<ApiValue | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ApiFailure) return undefined
    throw error
  }
}
