/** The words of `wlb watch`. */
import { type Command, Option } from 'commander'
import { withPool, wlbAddress } from './pool-options.js'
import { examples, integer } from './word.js'

export function addWatch(program: Command, root: () => string): void {
  withPool(program.command('watch'))
    .description('look at pools again and again, and say what broke, what changed, and what will end soon')
    .addOption(new Option('--fleet <FILE>', 'many pools, listed in a file (docs/fleet.md)').conflicts('pool'))
    .option('--every <SECONDS>', 'between two looks (default: 3600)', integer)
    .option('--once', 'look once, and exit 0 where all is well, 1 where something is wrong, 2 where nobody can tell')
    .option('--webhook <URL>', 'an https address that is told of every event')
    .option('--mail-to <ADDRESS>', 'a mailbox that is told of every event')
    .option('--mail-from <ADDRESS>', 'the sender of that mail (default: the same address)')
    .option('--smtp <HOST:PORT>', 'the server that takes the mail (default: 127.0.0.1:25)', wlbAddress)
    .option('--json', 'print one JSON document a line')
    .addHelpText(
      'before',
      examples(
        'wlb watch --pool lab',
        'wlb watch --fleet pools.toml --once',
        'wlb watch --fleet pools.toml --webhook https://chat.example.com/hooks/1 --mail-to ops@example.com',
      ),
    )
    .addHelpText('after', '\nWithout --pool and --fleet every pool that was met before is watched.')
    .action(async (options) => (await import('../watch.js')).watch(root(), options))
}
