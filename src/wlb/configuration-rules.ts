/** The rules for values of the configuration dictionary, and the form in which they are stored (docs/protocol/wlb.md). */

export type ValueRule =
  | { readonly kind: 'boolean' }
  /** A boolean that some clients send as 0 or 1. */
  | { readonly kind: 'outcome' }
  | { readonly kind: 'whole' | 'number'; readonly min: number; readonly max: number }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  /** A date with a time, stored in UTC; may be empty. */
  | { readonly kind: 'moment' }
  | { readonly kind: 'text' }

export type CheckedValue =
  | { readonly state: 'accepted'; readonly value: string }
  | { readonly state: 'refused'; readonly code: 4007 | 4011; readonly why: string }

/** Consoles store whole numbers as signed 32-bit integers. */
export const LARGEST_WHOLE = 2_147_483_647

/**
 * Checks `text` and returns the form in which it is stored: booleans in lower case and words in the spelling of the rule,
 * because consoles compare exactly; moments as `yyyy-MM-dd HH:mm:ss` in UTC without a zone; numbers as sent, which must not
 * have an exponent.
 */
export function checkValue(rule: ValueRule, text: string): CheckedValue {
  switch (rule.kind) {
    case 'boolean':
      return /^(?:true|false)$/i.test(text) ? accepted(text.toLowerCase()) : unusable('true or false')
    case 'outcome':
      return checkValue({ kind: 'boolean' }, text === '0' ? 'false' : text === '1' ? 'true' : text)
    case 'whole':
    case 'number':
      return checkNumber(rule, text)
    case 'word': {
      const word = rule.words.find((known) => known.toLowerCase() === text.toLowerCase())
      return word === undefined ? unusable(`one of ${rule.words.join(', ')}`) : accepted(word)
    }
    case 'moment': {
      const moment = text === '' ? '' : readMoment(text)
      return moment === undefined ? unusable('a date with a time') : accepted(moment)
    }
    case 'text':
      return accepted(text)
  }
}

function checkNumber(
  { kind, min, max }: { kind: 'whole' | 'number'; min: number; max: number },
  text: string,
): CheckedValue {
  const form = kind === 'whole' ? /^-?\d+$/ : /^-?\d+(?:\.\d+)?$/
  if (!form.test(text)) return unusable(kind === 'whole' ? 'a whole number' : 'a number such as 0.9')
  const number = Number(text)
  if (number >= min && number <= max && !text.startsWith('-')) return accepted(text)
  return { state: 'refused', code: 4011, why: `must be between ${min} and ${max}` }
}

/** Newer systems write a narrow no-break space (U+202F) before AM and PM. */
const WITH_MERIDIAN = /^(\d{1,2})\/(\d{1,2})\/(\d{4}),? +(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[ \u202f]+([AP])M)?$/i
const ISO = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/i

/** Reads ISO 8601, or month before day as consoles write it. Without an offset the time is UTC. */
function readMoment(text: string): string | undefined {
  const iso = ISO.exec(text)
  if (iso) {
    const [, year, month, day, hour, minute, second, zone = 'Z'] = iso
    return formatMoment([year, month, day, hour, minute, second], offsetMinutes(zone))
  }
  const [, month, day, year, hour, minute, second, meridian] = WITH_MERIDIAN.exec(text) ?? []
  if (hour === undefined) return undefined
  if (meridian === undefined) return formatMoment([year, month, day, hour, minute, second], 0)
  if (Number(hour) < 1 || Number(hour) > 12) return undefined
  const hour24 = (Number(hour) % 12) + (meridian.toUpperCase() === 'P' ? 12 : 0)
  return formatMoment([year, month, day, String(hour24), minute, second], 0)
}

function offsetMinutes(zone: string): number {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

/**
 * Undefined for a day that does not exist. Years below 100 are allowed, because a console writes "never" as a date in
 * year 1.
 */
function formatMoment(parts: readonly (string | undefined)[], eastMinutes: number): string | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map((part) => Number(part ?? '0'))
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (year < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  date.setUTCHours(hour, minute - eastMinutes, second)
  return date.toISOString().slice(0, 19).replace('T', ' ')
}

function accepted(value: string): CheckedValue {
  return { state: 'accepted', value }
}

function unusable(expected: string): CheckedValue {
  return { state: 'refused', code: 4007, why: `must be ${expected}` }
}
