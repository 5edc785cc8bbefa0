/** What every command line of `wlb` begins with: the program's name, its version, and the folder it works in. */
import { resolve } from 'node:path'
import { Command, type CommandUnknownOpts, type Help, Option } from '@commander-js/extra-typings'
import { homeFolder } from '../base/files/home-folder.js'
import { visibleLine } from '../base/text/printable.js'
import { VERSION } from '../base/version.js'
import { printNote, printText } from './terminal/print.js'

/** Commands are added to `program`; their actions ask `root()`. */
export function wlbCommand(): { readonly program: Command; readonly root: () => string } {
  const program = new Command('wlb')
    .description('Workload Balancing for XenServer and XCP-ng pools, with a connection that every host verifies.')
    .version(VERSION, '--version', 'print the version')
    .addOption(rootOption())
    .exitOverride()
    .configureOutput({ writeOut: printText, outputError: (complaint) => printNote(visibleComplaint(complaint)) })
    .configureHelp({ formatItem })
    .showSuggestionAfterError()
    .enablePositionalOptions() // or `lab exec` would read the options of the command it runs
  let chosenRoot: string | undefined
  program.hook('preAction', (_, action) => {
    chosenRoot = rootOf(action) ?? rootOf(program)
  })
  return { program, root: () => resolve(chosenRoot ?? process.env.WLB_ROOT ?? `${homeFolder()}/.openwlb`) }
}

/** The words that were typed stand in it; only what commander suggests has a line of its own. */
function visibleComplaint(complaint: string): string {
  const [, what = '', suggestion = ''] = /^([\s\S]*?)(\n\(Did you mean [^\n]*)?\n?$/.exec(complaint) ?? []
  return `${visibleLine(what)}${suggestion && `\n${visibleLine(suggestion.trim())}`}\n`
}

/** A meaning that has no room beside its term stands below it. */
function formatItem(term: string, termWidth: number, meaning: string, helper: Help): string {
  const { helpWidth = 80, minWidthToWrap = 40 } = helper
  const room = helpWidth - termWidth - 4
  const beside = `  ${term.padEnd(termWidth)}  `
  if (!meaning) return `  ${term}`
  if (room >= minWidthToWrap)
    return beside + helper.boxWrap(meaning, room).replaceAll('\n', `\n${' '.repeat(beside.length)}`)
  if (meaning.length <= room) return beside + meaning
  return `  ${term}\n      ${helper.boxWrap(meaning, helpWidth - 6).replaceAll('\n', '\n      ')}`
}

/** The group of commands about certificates. */
export function certGroup(program: CommandUnknownOpts): CommandUnknownOpts {
  return program.command('cert').description('the certificate of this appliance')
}

/** The folder named on the command line, as it was typed. */
export function givenRoot(program: CommandUnknownOpts): string | undefined {
  return [...leaves(program), program].map(rootOf).find(Boolean)
}

function rootOf(command: CommandUnknownOpts): string | undefined {
  const { root } = command.opts()
  return typeof root === 'string' ? root : undefined
}

/** Every command that does something, however deep. */
export function leaves(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
}

/** It may stand before the command or behind it. */
export function rootOption() {
  return new Option('--root <DIR>', 'the folder that holds the appliance (environment: WLB_ROOT; default: ~/.openwlb)')
}
