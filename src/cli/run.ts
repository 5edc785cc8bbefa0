/** One call of `wlb`: parse, call, print. */
import { CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { EXIT, printError, printJson, printNote, printText } from './terminal/print.js'
import { failIfUnwritable } from './terminal/standard-output.js'
import { assumeSize } from './terminal/terminal-width.js'
import { type TypedCall, typedCall } from './terminal/typed-call.js'
import { givenRoot } from './wlb-command.js'

const JOBS = `The five common jobs:
  wlb setup                                 configure this machine as an appliance (or see what is configured)
  wlb serve                                 run the appliance
  wlb status                                is it running, with which certificate, for which pools
  wlb lab up                                a pool of three hosts on this machine, to rehearse on
  wlb demo                                  watch the whole procedure, from strangers to a verified connection

More: wlb --help, wlb COMMAND --help`

/** Runs the command; its outcome is in `process.exitCode`. */
export async function run(argv: readonly string[], program: CommandUnknownOpts): Promise<void> {
  failIfUnwritable()
  for (const screen of [process.stdout, process.stderr]) assumeSize(screen)
  if (argv.length === 0) {
    printText(`${JOBS}\n`)
    return
  }
  const format = argv.includes('--json') ? 'json' : 'text'
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError))
      process.exitCode = printError(error, format, { root: givenRoot(program), call: typedCall(argv, program) })
    else if (error.exitCode !== 0) process.exitCode = refuseCall(error, format, typedCall(argv, program))
  }
}

/** Commander has already printed the message on stderr, with a suggestion if there is one, or the help of a group. */
function refuseCall({ code, message }: CommanderError, format: 'text' | 'json', { command }: TypedCall): number {
  const remedy = ['wlb', command, '--help'].filter(Boolean).join(' ')
  if (code !== 'commander.help') printNote(`  try: ${remedy}\n`) // which was printed as it is
  if (format === 'json') {
    printJson({ error: { code: 'USAGE', message: message.replace(/^error: /, ''), facts: {}, remedy } })
  }
  return EXIT.usage
}
