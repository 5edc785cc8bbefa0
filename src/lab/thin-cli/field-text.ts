/** Values between people and XenAPI: the spelling `xe` shows, and the text it takes when a field is set. */
import { type ApiValue, NULL_REF } from '../../xapi/index.js'
import type { ApiField } from '../database/classes.js'
import type { Rpc } from '../host/rpc.js'
import { refusal } from './refusal.js'

export type ApiRecord = { readonly [key: string]: ApiValue }

/** Shown for an object that is not there. */
export const NOT_IN_DATABASE = '<not in database>'

/** Words that `xe` spells in another way than the API does. */
export function spellValue(className: string, fieldName: string, text: string): string {
  if (className !== 'VM') return text
  if (fieldName === 'power_state') return text.toLowerCase()
  if (fieldName.startsWith('actions_after_')) return text.charAt(0).toUpperCase() + text.slice(1)
  return text
}

/** Reads what was typed as the field's type; an object is named by its UUID. Throws a `Refusal` when it is none. */
export async function parseFieldValue(field: ApiField, text: string, rpc: Rpc): Promise<ApiValue> {
  switch (field.type) {
    case 'bool':
      if (text === 'true' || text === 'false') return text === 'true'
      throw refusal(`Parameter ${field.cliName} must be a boolean (true or false)`)
    case 'int':
      if (/^[+-]?\d+$/.test(text)) return BigInt(text)
      throw refusal(`Failed to parse parameter '${field.cliName}': expecting an integer`)
    case 'float':
      if (/^[+-]?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(text)) return Number(text)
      throw refusal(`Parameter ${field.cliName} must be a floating-point number`)
    case 'ref':
      return text === '' ? NULL_REF : rpc(`${field.refClass}.get_by_uuid`, text)
    default:
      return field.name.startsWith('actions_after_') ? text.toLowerCase() : text
  }
}
