/** Parsers of what `xe` prints: lists of `--minimal`, tables of records, help (docs/protocol/thin-cli.md, output). */

/** Asks the user's `xe`; an empty text when it does not answer. */
export type AskXe = (...args: readonly string[]) => Promise<string>

export interface TableField {
  readonly name: string
  /** `RO`, `RW`, or with S for a set and M for a map. */
  readonly access: string
  readonly value: string
}

export interface CommandHelp {
  readonly name: string
  readonly required: readonly string[]
  readonly optional: readonly string[]
  /** Its first sentence. */
  readonly meaning: string
}

const NOT_THERE = '<not in database>'

/** Commas separate, a backslash takes the next character as it is; each value once, without values of removed objects. */
export function readMinimal(text: string): string[] {
  const items = text.replace(/\n$/, '').match(/(?:[^,\\]|\\.)+/gs) ?? []
  const values = items.map((item) => item.replaceAll(/\\(.)/gs, '$1'))
  return [...new Set(values.filter((value) => value !== NOT_THERE))]
}

/** Records in the order printed; lines that are the rest of a value belong to no field. */
export function readTable(text: string): TableField[][] {
  const records: TableField[][] = []
  for (const line of text.split('\n')) {
    const [, name, access, value] = /^ *(\S+) \( ?([SM]?R[OW])\)(?: \[DEPRECATED\])? *: (.*)$/.exec(line) ?? []
    if (name === undefined || access === undefined || value === undefined) continue
    const record = records.at(-1)
    if (!record || record[0]?.name === name) records.push([{ name, access, value }])
    else record.push({ name, access, value })
  }
  return records
}

/** What `xe help COMMAND...` says of each. */
export function readHelp(text: string): CommandHelp[] {
  const records = text.split(/^(?=command name\s*:)/m)
  return records.flatMap((record) => {
    const line = (key: string) => new RegExp(`^ *${key} *: ?(.*)$`, 'm').exec(record)?.[1]?.trim()
    const name = line('command name')
    if (!name) return []
    const [meaning = ''] = (line('description') ?? '').split(/\.(?:\s|$)/)
    return [{ name, required: list(line('reqd params')), optional: list(line('optional params')), meaning }]
  })
}

function list(text = ''): string[] {
  return text.split(/, ?/).filter((item) => item !== '')
}
