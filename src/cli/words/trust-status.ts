/** The words of `wlb trust status`. */
import { type Command, Option } from 'commander'
import { withPool } from './pool-options.js'
import { withHostSsh } from './ssh-options.js'
import { examples, integer } from './word.js'

export function addTrustStatus(trust: Command, root: () => string): void {
  withHostSsh(withPool(trust.command('status')))
    .description('each host of a pool: what it trusts, its clock, and what it says when it connects to the appliance')
    .addOption(
      new Option('--fleet <FILE>', 'many pools, listed in a file (docs/fleet.md)').conflicts(['pool', 'hostSsh']),
    )
    .option('--parallel <N>', 'how many pools of a fleet at once (default: 8)', integer)
    .option('--hosts', 'of a fleet, every host too')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb trust status --pool https://192.0.2.10 --password-file pw --pool-fingerprint 3F:0A:...',
        'wlb trust status --pool lab',
        'wlb trust status --pool lab --host-ssh root',
        'wlb trust status --fleet pools.toml --hosts',
      ),
    )
    .addHelpText('after', '\nExit codes: 0 every host verifies, 1 one does not, 2 could not tell.')
    .action(async (options) => {
      if (options.fleet !== undefined) return (await import('../trust/fleet.js')).fleetStatus(options)
      return (await import('../trust/status.js')).trustStatus(root(), options)
    })
}
