/**
 * What was typed, as far as a command that is printed later has to repeat it: a remedy that forgets which pool it was about, or with
 * which files, leads nowhere when it is pasted.
 */
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { quoteWord } from '../../base/text/quote-word.js'

export interface TypedCall {
  /** `trust apply`. */
  readonly command: string
  readonly operands: readonly string[]
  /** By their long flags; a switch has no value. */
  readonly options: readonly (readonly [flag: string, value?: string])[]
}

/** The command that was called with these words; none where no command of that name exists. */
export function typedCall(argv: readonly string[], program: CommandUnknownOpts): TypedCall {
  let command = program
  const names: string[] = []
  const operands: string[] = []
  const options: [flag: string, value?: string][] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '--') {
      operands.push(...argv.slice(at + 1))
      break
    }
    const inner = command.commands.find((one) => one.name() === word)
    if (inner) {
      command = inner
      names.push(word)
    } else if (word.startsWith('--')) {
      const [flag = word, value] = word.includes('=')
        ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]
        : [word]
      const takesValue = [...command.options, ...program.options].some(
        ({ long, required }) => long === flag && required,
      )
      if (value !== undefined) options.push([flag, value])
      else options.push(takesValue ? [flag, argv[++at] ?? ''] : [flag])
    } else operands.push(word)
  }
  return { command: names.join(' '), operands, options }
}

/** Commands that are about one pool, and not a question for their help. */
const OF_A_POOL = /(?<=^|; )wlb (trust (?:status|plan|apply|undo|renew)|doctor)(?= (?!--help)|$)/g
/** How a pool is named and met; of another host of it, which a remedy may name, only the second line holds. */
const OF_THAT_ADDRESS = ['--pool', '--pool-fingerprint', '--appliance']
const OF_THE_POOL = ['--username', '--password-file', '--pool-cacert', '--pool-insecure']
/** What `plan`, `apply`, `undo` and `renew` all take. */
const TO_CHANGE_IT = [
  ...['--wlb-password-file', '--ssh-key', '--ssh-passphrase-file', '--ssh-password-file', '--ssh-known-hosts'],
]
/** What a run that is resumed takes from its journal, and with it the files. */
const IN_THE_JOURNAL = ['--goal', '--fingerprint', '--crl', '--name', '--key', '--passphrase-file']
/** Answers and outputs, which each call has its own of; and the folder, which `inRoot` adds. */
const OWN = ['--yes', '--json', '--dry-run', '--resume', '--html', '--fix', '--predict', '--at', '--root']

export interface Memory {
  /** The pool will be known by what it was named: how it is met is not repeated. */
  readonly isRemembered?: boolean
  /** The pool's own name, where it will not. */
  readonly unknownName?: string
  /** The run that was typed is in its journal. */
  readonly isResumed?: boolean
}

/**
 * Puts what was typed into commands about a pool, one or several in a line: which pool and how it is met, and where it is the same
 * command with another option, files and options too. What the command says itself stays.
 */
export function repeatTyped(command: string, call: TypedCall, memory: Memory = {}): string {
  const { isRemembered, unknownName } = memory
  const isNamed = call.options.some(([flag]) => flag === '--pool') || (process.env.WLB_POOL ?? '') !== ''
  if (!isNamed) return command
  const nameless = ['NAME', ...(unknownName === undefined ? [] : [quoteWord(unknownName)])]
  const bare = nameless.reduce((text, name) => text.replaceAll(` --pool ${name}`, ''), command)
  return bare.replaceAll(OF_A_POOL, (head, words: string, at: number) => {
    const rest = bare.slice(at + head.length)
    const isOther = rest.includes(' --pool ')
    const ofPool = [...OF_THAT_ADDRESS, ...OF_THE_POOL]
    const met = isRemembered ? ['--pool'] : isOther ? OF_THE_POOL : ofPool
    const isSame = isSameCommand(words, call.command) && !/ --goal\b/.test(rest)
    const isResumed = memory.isResumed || / --resume\b/.test(rest)
    const isRepeated = (flag: string) => {
      if (ofPool.includes(flag)) return met.includes(flag)
      if (TO_CHANGE_IT.includes(flag)) return [words, call.command].every((one) => CHANGES.test(one))
      return isSame && !OWN.includes(flag) && !(isResumed && IN_THE_JOURNAL.includes(flag))
    }
    const options = call.options
      .filter(([flag]) => isRepeated(flag) && !`${rest} `.includes(` ${flag} `))
      .map(([flag, value]) => (value === undefined ? flag : `${flag} ${quoteWord(value)}`))
    const operands = isSame && !isResumed && !/^ [^-]/.test(rest) ? call.operands.map(quoteWord) : []
    return [head, ...operands, ...options].join(' ')
  })
}

const CHANGES = /^trust (plan|apply|undo|renew)$/

/** A plan is carried out by the words it was made with. */
function isSameCommand(one: string, other: string): boolean {
  return one === other || [one, other].every((words) => words === 'trust plan' || words === 'trust apply')
}
