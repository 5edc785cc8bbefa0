/** Lists of names with values: rows of two leaves, in requests and in one result. */
import { childNamed, textOf, type XmlElement } from '../base/xml.js'

export type Pair = readonly [name: string, value: string]

export interface PairList {
  /** The element around the rows. */
  readonly local: string
  /** What stands in the list's start tag after its name; '' for nothing. */
  readonly declaration: string
  readonly prefix: string
  readonly row: string
  readonly key: string
  readonly value: string
  /** Whether emptiness is written with one tag or two: byte for byte as the pool does. */
  readonly empty: 'one tag' | 'two tags'
}

export function writePairs(list: PairList, rows: readonly Pair[], encode: (text: string) => string): string {
  const leaf = (local: string, text: string) =>
    text === '' && list.empty === 'one tag'
      ? `<${list.prefix}${local}/>`
      : `<${list.prefix}${local}>${encode(text)}</${list.prefix}${local}>`
  const open = `<${list.local}${list.declaration}`
  if (rows.length === 0 && list.empty === 'one tag') return `${open}/>`
  const row = ([name, value]: Pair) =>
    `<${list.prefix}${list.row}>${leaf(list.key, name)}${leaf(list.value, value)}</${list.prefix}${list.row}>`
  return `${open}>${rows.map(row).join('')}</${list.local}>`
}

/** Reads rows by their children's names, whatever the rows are called; undefined where a row has no name. */
export function readPairs(list: PairList, rows: readonly XmlElement[]): readonly Pair[] | undefined {
  const read: Pair[] = []
  for (const row of rows) {
    const name = childNamed(row, list.key)
    const value = childNamed(row, list.value)
    if (!name) return undefined
    read.push([textOf(name), value ? textOf(value) : ''])
  }
  return read
}
