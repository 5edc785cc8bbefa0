/** Results that more than one operation has, and the writing of rows. */
import { escapeXml } from '../base/xml.js'
import type { ResultShape } from './operation.js'
import { failWithoutPayload, findChild, isChildless } from './pool-result.js'

/** Success without contents. */
export type Nothing = Readonly<Record<string, never>>

/** An empty result: with anything in it, even a `ResultCode` of 0, the pool reports a failure. */
export const NOTHING: ResultShape<Nothing> = {
  kind: 'call',
  write: () => '',
  read: (result) => (isChildless(result.element) ? {} : failWithoutPayload(result)),
}

/** One text, which may be a document of its own: escaped, never as elements, because a pool drops elements in its place. */
export function download(local: string): ResultShape<{ readonly text: string }> {
  return {
    kind: 'download',
    write: ({ text }) => writeElements({ [local]: text }),
    read: (result) => {
      const payload = findChild(result.element, local)
      if (!payload) return failWithoutPayload(result)
      const [only = '', ...more] = payload.children
      return { text: typeof only === 'string' && more.length === 0 ? only : '' }
    },
  }
}

/** Leaves in the order of the record; a field without a value is left out. */
export function writeElements(fields: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(fields)
    .map(([local, value]) => (value === undefined ? '' : `<${local}>${escapeXml(value)}</${local}>`))
    .join('')
}

/** Elements around what is already XML. */
export function wrap(local: string, inside: string): string {
  return inside === '' ? `<${local}/>` : `<${local}>${inside}</${local}>`
}

/** Consoles keep ids in 32 bits and read nothing but digits. An id that does not fit is a bug of whoever made it. */
export function checkId(id: string): string {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(id) || Number(id) > 2_147_483_647)
    throw new Error(`not an id a pool can keep: ${id}`)
  return id
}
