/** What can stand at the cursor, before any shell has its way with it. */

export interface Candidate {
  /** The whole word, with what was typed of it. */
  readonly word: string
  readonly meaning?: string
  /** The word goes on: no blank comes after it. */
  readonly isOpen?: boolean
}

export type Answer =
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[] }
  /** Paths behind `head`, which is typed already: `filename=`, or nothing. */
  | { readonly kind: 'files'; readonly head: string; readonly only: 'any' | 'folders' }

export const NOTHING: Answer = { kind: 'words', candidates: [] }

const CONTROL = /\p{Cc}/u

/**
 * Those that go on from what was typed, each once. A name with a control character in it, from wherever it came, would
 * reach the terminal: it is left out, and a meaning is cleaned of them.
 */
export function matching(candidates: readonly Candidate[], typed: string): Answer {
  const fitting = candidates.filter(({ word }) => word.startsWith(typed) && !CONTROL.test(word))
  const unique = new Map(fitting.map((candidate) => [candidate.word, clean(candidate)]))
  return { kind: 'words', candidates: [...unique.values()] }
}

function clean(candidate: Candidate): Candidate {
  const { meaning } = candidate
  return meaning === undefined ? candidate : { ...candidate, meaning: meaning.replaceAll(/\p{Cc}+/gu, ' ').trim() }
}
