/**
 * Numbers as a pool reads them out of an answer: digits with an optional point and exponent, hexadecimal, `nan` and `inf`,
 * underscores between digits, blanks in front. A blank behind, a decimal comma or nothing at all is no number.
 */

/** Reads `text` as a pool does; undefined where a pool finds no number. */
export function readPoolNumber(text: string): number | undefined {
  const plain = text.replace(/^[ \t\n\v\f\r]+/, '').replaceAll('_', '')
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(plain)) return Number(plain)
  if (/^[+-]?nan$/i.test(plain)) return Number.NaN
  const sign = plain.startsWith('-') ? -1 : 1
  if (/^[+-]?inf(?:inity)?$/i.test(plain)) return sign * Number.POSITIVE_INFINITY
  const hexadecimal = /^[+-]?0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?$/i.exec(plain)
  const digits = `${hexadecimal?.[1] ?? ''}${hexadecimal?.[2] ?? ''}`
  if (!hexadecimal || digits === '') return undefined
  return sign * Number(`0x${digits}`) * 2 ** (Number(hexadecimal[3] ?? 0) - 4 * (hexadecimal[2]?.length ?? 0))
}
