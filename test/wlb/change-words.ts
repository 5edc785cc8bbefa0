/** A pool with two hosts, and changes of its configuration in a few words. */
import { applyChanges, defaultPoolConfiguration, type Pair } from '../../src/wlb/index.js'

export const HOST = '9a1c0000-0000-4000-8000-000000000001'
export const OTHER = '9a1c0000-0000-4000-8000-000000000002'
export const STRANGER = '9a1c0000-0000-4000-8000-00000000000f'
export const HOSTS = [HOST, OTHER]
export const fresh = () => defaultPoolConfiguration(HOSTS, '8.0')

/** `a=1 b=` as entries. */
export function entries(words: string): Pair[] {
  return words === ''
    ? []
    : words.split(' ').map((word): Pair => [word.replace(/=.*/s, ''), word.replace(/^[^=]*=/, '')])
}

/** What a change made different, in the same words; `-key` where one went; or the refusal. */
export function describeChange(current: ReadonlyMap<string, string>, sent: readonly Pair[]): string {
  const change = applyChanges(current, sent, HOSTS)
  if (change.state === 'refused') return `${change.code} ${change.message}`
  const changed = [...change.configuration].filter(([key, value]) => current.get(key) !== value)
  const gone = [...current.keys()].filter((key) => !change.configuration.has(key))
  return [...changed.map(([key, value]) => `${key}=${value}`), ...gone.map((key) => `-${key}`)].join(' ')
}

export function storedAfter(current: ReadonlyMap<string, string>, sent: readonly Pair[]): ReadonlyMap<string, string> {
  const change = applyChanges(current, sent, HOSTS)
  if (change.state === 'refused') throw new Error(change.message)
  return change.configuration
}
