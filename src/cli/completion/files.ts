/** Names of files for a word that is a path: folders end in a slash and go on, hidden ones come when asked for. */
import { readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { type Answer, type Candidate, matching } from './answer.js'

/** Behind `head` bash reads `~/` as the home folder, other shells only at the start of a word. */
export function listFiles(
  word: string,
  { head, only }: Extract<Answer, { kind: 'files' }>,
  tildeAfterHead: boolean,
): readonly Candidate[] {
  const path = word.slice(head.length)
  const slash = path.lastIndexOf('/') + 1
  const [folder, name] = [path.slice(0, slash), path.slice(slash)]
  const isHome = folder.startsWith('~/') && (head === '' || tildeAfterHead)
  const place = isHome ? `${homedir()}${folder.slice(1)}` : folder || '.'
  const entries = namesIn(place)
    .filter((entry) => entry.startsWith('.') === name.startsWith('.'))
    .map((entry) => ({ entry, isFolder: isFolder(`${place}/${entry}`) }))
    .filter((found) => found.isFolder || only === 'any')
    .map((found): Candidate => {
      const whole = `${head}${folder}${found.entry}`
      return found.isFolder ? { word: `${whole}/`, isOpen: true } : { word: whole }
    })
  const answer = matching(entries, word)
  return answer.kind === 'words' ? answer.candidates : []
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return [] // not there, or not for this user: nothing can be offered
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
