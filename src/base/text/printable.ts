/**
 * Text from elsewhere, made safe to show: names, addresses and error texts of pools and servers may hold escape sequences, new
 * lines, and characters that are not seen or turn others around. Each is shown as an escape, such as \x1b or \u202e. JSON keeps
 * the text itself and escapes in its own way.
 */

/** Control characters, line separators, all that Unicode lets a terminal ignore (bidirectional, zero width), and what is no character. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu

/** One line: a value in a sentence, a cell, a prompt. */
export function visibleLine(text: string): string {
  return text.replace(UNSEEN, escapeCharacter)
}

/** One line that is not endless: what somebody else says at any length must not push what we say off the screen. */
export function boundedLine(text: string, limit: number): string {
  const shown = visibleLine(text)
  const more = shown.length - limit
  return more > 0 ? `${shown.slice(0, limit)} ... (${more} characters more)` : shown
}

/** A text of ours with lines of its own, whose values are visible already. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, (character) => (character === '\n' ? character : escapeCharacter(character)))
}

/**
 * All texts in lists and plain objects, as lines, and as commands where the name says that it is one. Others, such as dates, stay
 * what they are.
 */
export function visible<T>(value: T): T
export function visible(value: unknown): unknown {
  if (typeof value === 'string') return visibleLine(value)
  if (Array.isArray(value)) return value.map((item: unknown) => visible(item))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [visibleLine(name), visibleMember(name, item)]))
}

function visibleMember(name: string, value: unknown): unknown {
  const isCommand = typeof value === 'string' && (name === 'command' || name === 'remedy')
  return isCommand ? visibleCommand(value) : visible(value)
}

/** What a description begins with. A shell takes it for a comment, so it must stay on one line. */
export const DESCRIBED = '# not a command as it stands'

/** A command to paste. Where a word needs a character that cannot be shown, it is a comment that describes the command. */
export function visibleCommand(command: string): string {
  const shown = visibleLine(command)
  return shown === command ? command : `${DESCRIBED}, it has characters that cannot be typed: ${shown}`
}

/** JSON, with what a terminal must not see as \uXXXX; the same document for whoever parses it. */
export function visibleJson(json: string): string {
  return json.replace(UNSEEN, (character) => (character === '\n' ? character : escapeUnits(character)))
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code > 0xffff) return `\\u{${code.toString(16)}}`
  return code > 0xff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\x${code.toString(16).padStart(2, '0')}`
}

function escapeUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
