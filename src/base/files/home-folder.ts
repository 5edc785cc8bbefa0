/** Where this user's own files are. */
import { homedir } from 'node:os'
import { fail } from '../errors.js'

/** @throws HOME_UNKNOWN for a user who has none, such as one that a container was started with and no file knows. */
export function homeFolder(): string {
  const { HOME } = process.env
  if (HOME) return HOME
  try {
    const found = HOME === undefined ? homedir() : ''
    if (found !== '') return found
  } catch (error) {
    throw fail('HOME_UNKNOWN', { uid: process.getuid?.() ?? -1 }, error)
  }
  throw fail('HOME_UNKNOWN', { uid: process.getuid?.() ?? -1 })
}
