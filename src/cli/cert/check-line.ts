/**
 * The command line of `wlb cert check` alone. Scripts run it hundreds of times, so it is a bundle of its own (scripts/build.mjs)
 * that loads no other command, and what most calls do not need when they need it.
 */
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { certGroup, rootOption, wlbCommand } from '../wlb-command.js'
import { certCheck } from './check.js'
import { check } from './commands.js'

export { run } from '../run.js'

export function checkLine(): CommandUnknownOpts {
  const { program, root } = wlbCommand()
  check(certGroup(program))
    .action((files, flags) => certCheck(root(), files, flags))
    .addOption(rootOption())
  return program
}
