/** The words of `wlb completion`. */
import { Argument, type Command } from 'commander'
import { SHELLS } from '../completion/typed-words.js'
import { examples } from './word.js'

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<SHELL>', 'the shell the script is for').choices(SHELLS))
    .description('a script that completes the words of wlb and xe when Tab is pressed; how to install it is at its top')
    .addHelpText('before', examples('source <(wlb completion bash)', 'wlb completion fish | source'))
    .action(async (shell: (typeof SHELLS)[number]) => {
      process.stdout.write((await import('../completion/scripts.js')).SCRIPTS[shell])
    })
}
