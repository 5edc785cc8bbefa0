/** How answers are laid out: tables of records, lists, and the one line of `--minimal` (docs/protocol/thin-cli.md, output). */
import type { Conversation } from './conversation.js'

/** The keys come with their markers. */
export type TableRecord = readonly (readonly [key: string, value: string])[]

export interface Printer {
  table(records: readonly TableRecord[]): Promise<void>
  list(items: readonly string[]): Promise<void>
  /** Left out by `--minimal`. */
  message(text: string): Promise<void>
  /** Sends what was held back; once, when the command has succeeded. */
  flush(): Promise<void>
}

export function openPrinter(conversation: Conversation, minimal: boolean): Printer {
  return minimal ? openMinimalPrinter(conversation) : openFullPrinter(conversation)
}

function openFullPrinter(conversation: Conversation): Printer {
  const print = (text: string) => conversation.send({ name: 'Print', text })
  return {
    async table(records) {
      for (const record of records) await print(`${layOut(record)}\n`)
    },
    async list(items) {
      for (const item of items) await print(item)
    },
    message: print,
    flush: async () => {},
  }
}

/** The pool holds its pieces in a stack: several tables or lists come out last one first. */
function openMinimalPrinter(conversation: Conversation): Printer {
  const pieces: string[] = []
  const hold = (items: readonly string[]) => {
    pieces.unshift(items.map(escapeItem).join(','))
  }
  return {
    async table(records) {
      if (records.length > 0 && records.every(({ length }) => length > 0)) hold(records.map((record) => record[0]![1]))
    },
    async list(items) {
      hold(items)
    },
    message: async () => {},
    flush: () => conversation.send({ name: 'Print', text: pieces.join(',') }),
  }
}

/** The first key is padded on the right and the others on the left, all to the longest and four more bytes. */
export function layOut(record: TableRecord): string {
  const width = 4 + Math.max(0, ...record.map(([key]) => Buffer.byteLength(key)))
  const lines = record.map(([key, value], index) => {
    const padding = ' '.repeat(width - Buffer.byteLength(key))
    return `${index === 0 ? key + padding : padding + key}: ${value}`
  })
  return `${lines.join('\n')}\n`
}

function escapeItem(item: string): string {
  return item.replace(/[\\,]/g, '\\$&')
}
