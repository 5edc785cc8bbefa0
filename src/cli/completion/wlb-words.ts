/** The words of `wlb`, from the commands its help is made from. */
import type { Argument, CommandUnknownOpts as Command, Option } from '@commander-js/extra-typings'
import { type Answer, type Candidate, matching, NOTHING } from './answer.js'

export interface Place {
  /** The folder named by `--root` on this line. */
  readonly root: string | undefined
  readonly operands: readonly string[]
}

/**
 * Values only this machine knows, by what they stand for: the name of an option, or the word for a value in the help.
 * Undefined where nothing is known of such a word.
 */
export type LiveValues = (standsFor: string, place: Place) => Promise<readonly Candidate[]> | undefined

/** A command of a host of the lab, completed as that host would. */
export type OnHost = (host: string, words: readonly string[], place: Place) => Promise<Answer>

const FILE_WORDS = ['FILE', 'FILES', 'CSR']
const FOLDER_WORD = 'DIR'
/** What follows is a command line of another program. */
const COMMAND_WORD = 'COMMAND'

/** Completes the last of the words behind `wlb`. */
export async function completeWlb(
  program: Command,
  words: readonly string[],
  live: LiveValues,
  onHost: OnHost,
): Promise<Answer> {
  const typed = words.at(-1) ?? ''
  const read = readLine(program, words.slice(0, -1))
  const { command, operands, waiting, isEnded } = read
  const place: Place = { root: read.root, operands }
  const [host, ...inner] = operands
  if (host !== undefined && command.registeredArguments[1]?.name() === COMMAND_WORD) {
    return onHost(host, [...inner, typed], place)
  }
  if (waiting && !(waiting.variadic && typed.startsWith('-')))
    return valuesOf(meaningOf(waiting), '', typed, place, live)
  const [, flag] = /^(--[^=]+)=/.exec(typed) ?? []
  const assigned = isEnded || flag === undefined ? undefined : findOption(read, flag)
  if (assigned && flag !== undefined) return valuesOf(meaningOf(assigned), `${flag}=`, typed, place, live)
  if (typed.startsWith('-') && !isEnded) return matching(optionsOf(read), typed)
  const isCommandNext = operands.length === 0 || (operands.length === 1 && host === 'help')
  const children = isCommandNext ? matching(commandsOf(command), typed) : NOTHING
  const argument = host === 'help' ? undefined : argumentAt(command, operands.length)
  if (argument) return valuesOf(meaningOfArgument(argument), '', typed, place, live)
  if (command.commands.length > 0) return children
  return typed === '' && !isEnded ? matching(optionsOf(read), typed) : NOTHING
}

interface ReadLine {
  readonly program: Command
  readonly command: Command
  readonly operands: readonly string[]
  readonly given: ReadonlySet<Option>
  /** The option whose value comes next. */
  readonly waiting: Option | undefined
  /** `--` was typed: from there on nothing is an option. */
  readonly isEnded: boolean
  readonly root: string | undefined
}

/** While it is being read. */
interface LineDraft {
  readonly program: Command
  command: Command
  readonly operands: string[]
  readonly given: Set<Option>
  waiting: Option | undefined
  isEnded: boolean
  root: string | undefined
}

function readLine(program: Command, words: readonly string[]): ReadLine {
  const line: LineDraft = {
    program,
    command: program,
    operands: [],
    given: new Set(),
    waiting: undefined,
    isEnded: false,
    root: undefined,
  }
  for (const word of words) {
    const isOption = !line.isEnded && word.startsWith('-') && word !== '-'
    if (line.waiting && !(line.waiting.variadic && isOption)) {
      if (line.waiting.long === '--root') line.root = word
      if (!line.waiting.variadic) line.waiting = undefined
    } else if (isOption && !hasCommandOfAnother(line.command, line.operands)) {
      takeOption(line, word)
    } else {
      const child = line.operands.length === 0 && !line.isEnded ? findCommand(line.command, word) : undefined
      if (child) line.command = child
      else line.operands.push(word)
    }
  }
  return line
}

function takeOption(line: LineDraft, word: string): void {
  line.waiting = undefined
  if (word === '--') {
    line.isEnded = true
    return
  }
  const [flag = '', ...value] = word.split('=')
  const option = findOption(line, flag)
  if (!option) return
  line.given.add(option)
  if (!option.required) return
  if (value.length === 0) line.waiting = option
  else if (option.long === '--root') line.root = value.join('=')
}

/** Behind the host everything belongs to the command that runs there. */
function hasCommandOfAnother(command: Command, operands: readonly string[]): boolean {
  return operands.length > 0 && command.registeredArguments[1]?.name() === COMMAND_WORD
}

function findCommand(command: Command, word: string): Command | undefined {
  return command.commands.find((child) => child.name() === word || child.aliases().includes(word))
}

function findOption({ command, program }: Pick<ReadLine, 'command' | 'program'>, flag: string): Option | undefined {
  return [...command.options, ...program.options].find(({ long, short }) => long === flag || short === flag)
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const last = command.registeredArguments.at(-1)
  return command.registeredArguments[index] ?? (last?.variadic ? last : undefined)
}

function commandsOf(command: Command): Candidate[] {
  if (command.commands.length === 0) return []
  return command
    .createHelp()
    .visibleCommands(command)
    .map((child) => ({ word: child.name(), meaning: child.summary() || child.description() }))
}

/** A switch counts once; an option with a value may be meant to be repeated. */
function optionsOf({ command, given }: ReadLine): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => option.required || !given.has(option))
    .flatMap(({ long, description }) => (long ? [{ word: long, meaning: description }] : []))
}

interface Meaning {
  readonly choices: readonly string[] | undefined
  /** From the most specific to the least. */
  readonly standsFor: readonly string[]
}

function meaningOf(option: Option): Meaning {
  const [, word = ''] = /[<[]([^\]>]+)[\]>]/.exec(option.flags) ?? []
  return { choices: option.argChoices, standsFor: [option.long ?? '', ...wordsOf(word)] }
}

function meaningOfArgument(argument: Argument): Meaning {
  return { choices: argument.argChoices, standsFor: wordsOf(argument.name()) }
}

/** `SERIAL|FILE` stands for either. */
function wordsOf(text: string): string[] {
  return text.replace('...', '').split('|')
}

async function valuesOf(
  { choices, standsFor }: Meaning,
  head: string,
  typed: string,
  place: Place,
  live: LiveValues,
): Promise<Answer> {
  const prefixed = (candidates: readonly Candidate[]) =>
    candidates.map((candidate) => ({ ...candidate, word: `${head}${candidate.word}` }))
  const known = await standsFor.map((word) => live(word, place)).find(Boolean)
  if (known) return matching(prefixed(known), typed)
  if (choices) return matching(prefixed(choices.map((word) => ({ word }))), typed)
  if (standsFor.includes(FOLDER_WORD)) return { kind: 'files', head, only: 'folders' }
  return standsFor.some((word) => FILE_WORDS.includes(word)) ? { kind: 'files', head, only: 'any' } : NOTHING
}
