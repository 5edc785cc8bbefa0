/** What the tests use of npm's `xen-api`, which comes without types. */
declare module 'xen-api' {
  import type { EventEmitter } from 'node:events'

  interface PoolRecord {
    readonly $ref: string
    readonly uuid: string
    readonly tags: readonly string[]
  }

  interface XapiOptions {
    readonly url: string
    readonly auth: { readonly user: string; readonly password: string }
    readonly allowUnauthorized: boolean
    readonly transport: string
    readonly debounce: number
  }

  interface CachedRecord {
    readonly $type: string
    readonly $ref: string
    readonly uuid: string
    readonly name?: string
    readonly is_control_domain?: boolean
    readonly resident_on?: string
    readonly scheduled_to_be_resident_on?: string
    readonly current_operations?: Readonly<Record<string, string>>
    readonly resident_VMs?: readonly string[]
    readonly VM?: string
    readonly name_label?: string
    readonly type?: string
  }

  class Xapi extends EventEmitter {
    constructor(options: XapiOptions)
    readonly pool: PoolRecord
    readonly objects: EventEmitter & { readonly all: Readonly<Record<string, CachedRecord>> }
    readonly objectsFetched: Promise<void>
    connect(): Promise<void>
    disconnect(): Promise<void>
    call(method: string, ...args: readonly unknown[]): Promise<unknown>
    callAsync(method: string, ...args: readonly unknown[]): Promise<unknown>
    barrier(ref?: string): Promise<unknown>
    getObjectByRef(ref: string): CachedRecord
    getResource(
      path: string,
      options: { readonly host: CachedRecord | undefined; readonly query: Readonly<Record<string, string | number>> },
    ): Promise<{ readonly body: { text(): Promise<string> } }>
  }
}
