/**
 * An ordered list of parts that make up a running program. Each part opens one thing, may use what the parts before it
 * provide, and is closed before them. A part whose needs are not met by the parts before it does not compile.
 */
import type { Log } from '../config/index.js'

/** What a part has opened. */
export interface Opened<Provided extends object> {
  /** What later parts may use. */
  readonly provides: Provided
  readonly close?: () => Promise<void>
}

export type Part<Needs, Provided extends object> = (context: Needs) => Promise<Opened<Provided>>

export interface PartList<Given, Context> {
  /** The list with one more part at its end. */
  add<Provided extends object>(part: Part<Context, Provided>): PartList<Given, Context & Provided>
  /** Opens the parts in order. If one throws, those before it are closed and the error is passed on. */
  open(given: Given & { readonly log: Log }): Promise<{ readonly context: Context; close(): Promise<void> }>
}

/** A list without parts: its context is what `open` is given. */
export function partList<Given extends object>(): PartList<Given, Given> {
  return listOf<Given, Given>(async (given) => given)
}

type OpenInto<Given, Context> = (given: Given, closers: (() => Promise<void>)[]) => Promise<Context>

function listOf<Given, Context extends object>(openInto: OpenInto<Given, Context>): PartList<Given, Context> {
  return {
    add: (part) =>
      listOf(async (given, closers) => {
        const context = await openInto(given, closers)
        const { provides, close } = await part(context)
        if (close) closers.push(close)
        return { ...context, ...provides }
      }),
    open: async (given) => {
      const closers: (() => Promise<void>)[] = []
      const close = async () => {
        for (const closeOne of closers.splice(0).reverse())
          await closeOne().catch((error: unknown) => given.log.error({ err: error }, 'something did not close'))
      }
      try {
        return { context: await openInto(given, closers), close }
      } catch (error) {
        await close()
        throw error
      }
    },
  }
}
