/** What can stand at the cursor, before it is rendered for a shell. */

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
 * Candidates that begin with what was typed, each once. Names with control characters are left out, because they would reach
 * the terminal; meanings are cleaned of them.
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
