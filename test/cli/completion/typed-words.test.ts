/** What a shell hands over, as words; and what it is given back. Unread: COMP_LINE, or the pieces where there is none. */
import { describe, expect, it } from 'vitest'
import { render } from '../../../src/cli/completion/render.js'
import { type Request, readTyped, type Shell } from '../../../src/cli/completion/typed-words.js'

function requestOf(shell: Shell, words: readonly string[], more: Partial<Request> = {}): Request {
  return { shell, words, line: '', breaks: '', completionType: '', ...more }
}

describe('bash', () => {
  const LINES: [line: string, words: string, kept: string][] = [
    ['xe pool-list', 'xe|pool-list', ''],
    ['xe pool-list ', 'xe|pool-list|', ''],
    ['xe a uuid=', 'xe|a|uuid=', 'uuid='],
    ['xe a uuid= ', 'xe|a|uuid=|', ''],
    ['xe a uuid=12', 'xe|a|uuid=12', 'uuid='],
    ['xe a fingerprint=AA:B', 'xe|a|fingerprint=AA:B', 'fingerprint=AA:'],
    ['xe a other-config:x=1', 'xe|a|other-config:x=1', 'other-config:x='],
    ['xe a host=my\\ h', 'xe|a|host=my h', 'host='],
    ['xe a host=my\\=h', 'xe|a|host=my=h', 'host='],
    ['xe a host="my =h', 'xe|a|host=my =h', 'host='],
    ["xe a 'host=my", 'xe|a|host=my', ''],
    ['xe a host="my h"x', 'xe|a|host=my hx', 'host='],
    ['xe a host="a\\"b', 'xe|a|host=a"b', 'host='],
    ['sudo xe a b', 'xe|a|b', ''],
    ['X=1 xe  a', 'xe|a', ''],
  ]
  it.each(LINES)('%j', (line, words, kept) => {
    const typed = readTyped(requestOf('bash', ['xe'], { line }))
    expect([typed.words.join('|'), typed.kept]).toEqual([words, kept])
  })

  const PIECES: [pieces: string[], words: string][] = [
    [['xe', 'a', 'uuid', '='], 'xe|a|uuid='],
    [['xe', 'a', 'uuid', '=', '12'], 'xe|a|uuid=12'],
    [['xe', 'a', 'uuid', '=', '12', ''], 'xe|a|uuid=12|'],
    [['xe', 'a', 'other-config', ':', 'x', '=', '1', 'b'], 'xe|a|other-config:x=1|b'],
    [['xe', 'a', 'uuid=12'], 'xe|a|uuid=12'],
  ]
  it.each(PIECES)('%j', (pieces, words) => {
    expect(readTyped(requestOf('bash', pieces)).words.join('|')).toBe(words)
  })

  const ANSWERS: [line: string, breaks: string, words: string[], inserted: string[]][] = [
    ['xe a uuid=', '', ['uuid=12'], ['12 ']],
    ['xe a uuid=', ' :', ['uuid=12'], ['uuid=12 ']],
    ['xe a other:x=', '=', ['other:x=1'], ['1 ']],
    ['xe a host=', '', ['host=a b', "host=it's", 'host=$(x)'], ['a\\ b ', "it\\'s ", '\\$\\(x\\) ']],
    ['xe a host="a', '', ['host=a b$'], ['a b\\$']],
    ["xe a host='a", '', ["host=a'b"], ["a'\\''b"]],
    ['xe a fp=AA:', '', ['fp=AA:BB'], ['BB ']],
  ]
  it.each(ANSWERS)('%j with breaks %j', (line, breaks, words, inserted) => {
    const request = requestOf('bash', ['xe'], { line, breaks })
    const answer = { kind: 'words' as const, candidates: words.map((word) => ({ word })) }
    expect(render(request, readTyped(request), answer).split('\n').slice(0, -1)).toEqual(inserted)
  })

  it('a list says what each one means; what is inserted never does', () => {
    const candidates = [
      { word: 'uuid=1', meaning: 'lab' },
      { word: 'uuid=22', meaning: 'other' },
    ]
    const shown = (completionType: string, count: number) => {
      const request = requestOf('bash', ['xe'], { line: 'xe a uuid=', completionType })
      return render(request, readTyped(request), { kind: 'words', candidates: candidates.slice(0, count) })
    }
    expect(shown('63', 2)).toBe('1   (lab)\n22  (other)\n')
    expect(shown('63', 1)).toBe('1 \n')
    expect(shown('9', 2)).toBe('1 \n22 \n')
  })
})

it('fish hands over the word at the cursor as it was typed', () => {
  expect(readTyped(requestOf('fish', ['xe', 'a b', 'host="my h'])).words).toEqual(['xe', 'a b', 'host=my h'])
})
