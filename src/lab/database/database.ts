/**
 * The pool's database: records by class and reference, in memory and in one file. A change is durable once `durable` has
 * resolved; changes that arrive while the file is being written share the next write. Members keep a copy.
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { replaceFile } from '../../base/files/durable-file.js'
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { type ApiClass, CLASSES, findClass } from './classes.js'
import { fromStored, isDefault, type StoredValue, toStored } from './field.js'

export type ApiRecord = { readonly [field: string]: ApiValue }

export interface Change {
  readonly className: string
  readonly ref: string
  readonly operation: 'add' | 'mod' | 'del'
  readonly generation: number
}

/** What the file holds; also what a coordinator hands to its successor. */
export interface DatabaseImage {
  readonly generation: number
  readonly internals: Readonly<Record<string, string>>
  readonly tables: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, StoredValue>>>>>>
}

export class Database {
  readonly #path: string
  readonly #tables = new Map<string, Map<string, ApiRecord>>()
  readonly #internals = new Map<string, string>()
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #texts = new WeakMap<ApiRecord, string>()
  #generation: number
  #dirtySince: number
  #written: number
  #writing: Promise<void> | undefined

  constructor(path: string, image: DatabaseImage) {
    this.#path = path
    this.#generation = image.generation
    this.#dirtySince = image.generation
    this.#written = image.generation
    for (const owner of CLASSES) {
      const rows = owner.lifetime === 'stored' ? Object.entries(image.tables[owner.name] ?? {}) : []
      this.#tables.set(owner.name, new Map(rows.map(([ref, row]) => [ref, readRow(owner, row)])))
    }
    for (const [key, value] of Object.entries(image.internals)) this.#internals.set(key, value)
  }

  /** Increases with every change, across restarts and changes of coordinator. */
  get generation(): number {
    return this.#generation
  }

  /** Generation of the last change to a stored record; sessions and tasks do not count. */
  get storedGeneration(): number {
    return this.#dirtySince
  }

  refs(className: string): string[] {
    return [...this.#table(className).keys()]
  }

  rows(className: string): [ref: string, record: ApiRecord][] {
    return [...this.#table(className).entries()]
  }

  find(className: string, ref: string): ApiRecord | undefined {
    return this.#table(className).get(ref)
  }

  /** @throws ApiFailure HANDLE_INVALID when no such object is there. */
  get(className: string, ref: string): ApiRecord {
    const record = this.find(className, ref)
    if (!record) throw new ApiFailure('HANDLE_INVALID', [className, ref])
    return record
  }

  /** The only object of its class: the pool. */
  get pool(): { readonly ref: string; readonly record: ApiRecord } {
    const [first] = this.#table('pool')
    if (!first) throw new Error('a database without a pool')
    return { ref: first[0], record: first[1] }
  }

  /** Adds an object; missing fields get their defaults, a missing uuid is generated. */
  create(className: string, values: ApiRecord): string {
    const owner = classNamed(className)
    const record: Record<string, ApiValue> = {}
    for (const { name, default: empty } of owner.stored) record[name] = values[name] ?? empty
    if (record.uuid === '') record.uuid = randomUUID()
    const ref = `OpaqueRef:${randomUUID()}`
    this.#table(className).set(ref, record)
    this.#changed(owner, ref, 'add')
    return ref
  }

  /** Adds an object under a known reference, or updates it if it exists. */
  put(className: string, ref: string, values: ApiRecord): void {
    if (this.find(className, ref)) {
      this.update(className, ref, values)
      return
    }
    const owner = classNamed(className)
    this.#table(className).set(
      ref,
      Object.fromEntries(owner.stored.map((field) => [field.name, values[field.name] ?? field.default])),
    )
    this.#changed(owner, ref, 'add')
  }

  update(className: string, ref: string, values: ApiRecord): void {
    this.#table(className).set(ref, { ...this.get(className, ref), ...values })
    this.#changed(classNamed(className), ref, 'mod')
  }

  destroy(className: string, ref: string): void {
    if (this.#table(className).delete(ref)) this.#changed(classNamed(className), ref, 'del')
  }

  /** Values of the pool that are not fields, such as the reference of its WLB password. */
  internal(key: string): string {
    return this.#internals.get(key) ?? ''
  }

  setInternal(key: string, value: string): void {
    this.#internals.set(key, value)
    this.#generation++
    this.#dirtySince = this.#generation
  }

  /** Increases the generation without changing a record, for event.inject. */
  advance(by = 1): number {
    this.#generation += by
    this.#dirtySince = this.#generation
    return this.#generation
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves once every change made so far is on the disk. */
  async durable(): Promise<void> {
    const wanted = this.#dirtySince
    while (this.#written < wanted) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined
      })
      await this.#writing
    }
  }

  image(): DatabaseImage {
    return parseImage(this.text())
  }

  /** The image as JSON. Records are never changed in place: the text of each is made once and kept with it. */
  text(): string {
    const tables = CLASSES.filter(({ lifetime }) => lifetime === 'stored').map((owner) => {
      const rows = this.rows(owner.name).map(
        ([ref, record]) => `${JSON.stringify(ref)}:${this.#rowText(owner, record)}`,
      )
      return `${JSON.stringify(owner.name)}:{${rows.join(',')}}`
    })
    const internals = JSON.stringify(Object.fromEntries(this.#internals))
    return `{"generation":${this.#generation},"internals":${internals},"tables":{${tables.join(',')}}}`
  }

  #rowText(owner: ApiClass, record: ApiRecord): string {
    const known = this.#texts.get(record)
    if (known !== undefined) return known
    const text = JSON.stringify(writeRow(owner, record))
    this.#texts.set(record, text)
    return text
  }

  async #write(): Promise<void> {
    const generation = this.#generation
    await replaceFile(this.#path, `${this.text()}\n`, 0o600)
    this.#written = generation
  }

  #changed(owner: ApiClass, ref: string, operation: Change['operation']): void {
    this.#generation++
    if (owner.lifetime === 'stored') this.#dirtySince = this.#generation
    const change = { className: owner.name, ref, operation, generation: this.#generation }
    for (const listener of [...this.#listeners]) listener(change)
  }

  #table(className: string): Map<string, ApiRecord> {
    const table = this.#tables.get(className)
    if (!table) throw new Error(`no class ${className}`)
    return table
  }
}

/** Replaces the file, so that a kill at any time leaves the previous state or this one. */
export async function writeImage(path: string, image: DatabaseImage): Promise<void> {
  await replaceFile(path, `${JSON.stringify(image)}\n`, 0o600)
}

/** Throws the lower error when there is no such file. */
export async function readImage(path: string): Promise<DatabaseImage> {
  return JSON.parse(await readFile(path, 'utf8'))
}

function classNamed(name: string): ApiClass {
  const owner = findClass(name)
  if (!owner) throw new Error(`no class ${name}`)
  return owner
}

/** Leaves out what has its default: most fields of most records. */
function writeRow(owner: ApiClass, record: ApiRecord): Record<string, StoredValue> {
  const row: Record<string, StoredValue> = {}
  for (const field of owner.stored) {
    const value = record[field.name] ?? field.default
    if (!isDefault(field, value)) row[field.name] = toStored(field, value)
  }
  return row
}

/** A field that the file lacks has its default, as has one that was added by a later version. */
function readRow(owner: ApiClass, row: Readonly<Record<string, StoredValue>>): ApiRecord {
  const record: Record<string, ApiValue> = {}
  for (const field of owner.stored) {
    const stored = row[field.name]
    record[field.name] = stored === undefined ? field.default : fromStored(field, stored)
  }
  return record
}

/**
 * The coordinator's database as a member receives it. The text is kept as received and parsed on demand: a pool of 64
 * sends every member half a megabyte at each change, and members rarely read it.
 */
export class DatabaseCopy {
  readonly #text: string
  #image: DatabaseImage | undefined

  constructor(text: string) {
    this.#text = text
  }

  get image(): DatabaseImage {
    this.#image ??= parseImage(this.#text)
    return this.#image
  }

  /** Replaces the file, as `writeImage` does. */
  write(path: string): Promise<void> {
    return replaceFile(path, `${this.#text}\n`, 0o600)
  }
}

const imageSchema: z.ZodType<DatabaseImage> = z.object({
  generation: z.number(),
  internals: z.record(z.string(), z.string()),
  tables: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.any()))),
})

/** Parses an image that another host sent. */
export function parseImage(text: string): DatabaseImage {
  return imageSchema.parse(JSON.parse(text))
}
