/**
 * Completes commands and parameters of `xe` from the pool's own help, so that they fit the version of the pool
 * (docs/completion.md).
 */
import { type Answer, type Candidate, matching, NOTHING } from './answer.js'
import { type AskXe, type CommandHelp, readHelp, readMinimal } from './xe-answers.js'
import { type ClientOptions, completeClientOption, completeOptionValue, sortWords } from './xe-options.js'
import { completeValue } from './xe-values.js'

/** What the help calls the ways to choose objects, the key that names one, and the list whose fields choose too. */
const SELECTORS: readonly (readonly [mark: string, key: string, list: string])[] = [
  ['<vm-selectors>', 'vm=', 'vm-list'],
  ['<host-selectors>', 'host=', 'host-list'],
  ['<sr-selectors>', 'sr=', 'sr-list'],
]
/** Parameters of a list that select no objects. */
const NO_SELECTORS = ['params', 'database:']

const HELP_FLAGS: readonly Candidate[] = [{ word: '--all' }, { word: '--minimal' }]

/** Completes the last of the words behind `xe`. `askWith` runs it with the options that were typed. */
export async function completeXe(words: readonly string[], askWith: (client: ClientOptions) => AskXe): Promise<Answer> {
  const typed = words.at(-1) ?? ''
  const { client, rest, waiting } = sortWords(words.slice(0, -1))
  const [command, ...parameters] = rest
  const ask = askWith(client)
  if (waiting !== undefined) return completeOptionValue(waiting)
  if (command === undefined && typed.startsWith('-')) return completeClientOption(typed)
  if (command === 'help' && typed.startsWith('-')) return matching(HELP_FLAGS, typed)
  if (command === undefined || command === 'help') return completeCommand(typed, ask)
  if (typed.startsWith('-')) return completeFlag(typed, command, ask)
  if (typed.includes('=')) return completeValue({ command, parameters, typed }, ask)
  return completeKey(typed, command, parameters, ask)
}

/** Several hundred names: the first parts of them until one is left, then its commands and what they do. */
async function completeCommand(typed: string, ask: AskXe): Promise<Answer> {
  const known = readMinimal(await ask('help', '--minimal', '--all'))
  if (known.length === 0) return NOTHING
  const names = [...new Set([...known, 'help'])].filter((name) => name.startsWith(typed))
  const groups = new Set(names.map((name) => name.split('-')[0] ?? name))
  if (groups.size > 1) {
    const candidates = [...groups].map(
      (group): Candidate => (names.includes(group) ? { word: group } : { word: `${group}-`, isOpen: true }),
    )
    return matching(candidates, typed)
  }
  const described = names.length > 1 ? readHelp(await ask('help', ...names)) : []
  return matching(
    names.map((word) => withMeaning(word, described.find(({ name }) => name === word)?.meaning)),
    typed,
  )
}

function withMeaning(word: string, meaning: string | undefined): Candidate {
  return meaning === undefined ? { word } : { word, meaning }
}

async function completeKey(typed: string, command: string, parameters: readonly string[], ask: AskXe): Promise<Answer> {
  const help = await helpOf(command, ask)
  if (!help) return NOTHING
  const optional = (await Promise.all(help.optional.map((name) => expand(name, ask)))).flat()
  const bothKinds = help.required.length > 0 && optional.length > 0
  const given = parameters.map((word) => `${word.split('=')[0]}=`)
  const keys = [
    ...help.required.map((name) => ({ name, mark: 'REQUIRED' })),
    ...optional.map((name) => ({ name, mark: 'OPTIONAL' })),
  ]
  const candidates = keys
    .map(({ name, mark }): Candidate => ({ word: asKey(name), isOpen: true, ...(bothKinds && { meaning: mark }) }))
    .filter(({ word }) => !given.includes(word))
  return matching(candidates, typed)
}

async function expand(name: string, ask: AskXe): Promise<string[]> {
  const selector = SELECTORS.find(([mark]) => mark === name)
  if (!selector) return [name]
  const [, key, list] = selector
  const fields = (await helpOf(list, ask))?.optional ?? []
  return [key, ...fields.filter((field) => !NO_SELECTORS.includes(field))]
}

/** The key of a map is followed by the name of an entry. */
function asKey(name: string): string {
  return /[=:-]$/.test(name) ? name : `${name}=`
}

/** Options of every command, and those of this one. */
async function completeFlag(typed: string, command: string, ask: AskXe): Promise<Answer> {
  const help = await helpOf(command, ask)
  const selects = help?.optional.some((name) => SELECTORS.some(([mark]) => mark === name)) ?? false
  const flags = [
    '--minimal',
    ...(help?.optional.includes('force') ? ['--force'] : []),
    ...(selects ? ['--multiple'] : []),
    '--trace',
  ]
  return matching(
    flags.map((word) => ({ word })),
    typed,
  )
}

async function helpOf(command: string, ask: AskXe): Promise<CommandHelp | undefined> {
  return readHelp(await ask('help', command))[0]
}
