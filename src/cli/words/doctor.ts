/** The words of `wlb doctor`. */
import type { Command } from 'commander'
import { withPool } from './pool-options.js'
import { withHostSsh } from './ssh-options.js'
import { dateOrTime, examples } from './word.js'

export function addDoctor(program: Command, root: () => string): void {
  withHostSsh(withPool(program.command('doctor')))
    .description('why a pool and its appliance do not connect, or do so unverified: the cause to mend first in front')
    .option('--at <DATE>', 'what it will be then: 2026-03-01, or 2026-03-01T08:00:00Z', dateOrTime)
    .option(
      '--predict',
      'print only the error a call through the pool ends with, as a JSON array: empty when it succeeds',
    )
    .option('--fix', 'mend what is safe to mend (a sync, a reload, the mode of a key), after asking once')
    .option('--yes', 'with --fix, do not ask')
    .option('--html <FILE>', 'also write a page for support, without secrets')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb doctor --pool lab',
        'wlb doctor --pool https://192.0.2.10 --password-file pw --pool-fingerprint 3F:0A:... --json',
        'wlb doctor --pool lab --at 2027-01-01',
        'wlb doctor --pool lab --host-ssh root --ssh-key id_ed25519',
        'wlb doctor --appliance wlb.example.com:8012',
      ),
    )
    .addHelpText('after', '\nExit codes: 0 healthy, 1 findings, 2 could not tell.')
    .action(async (options) => (await import('../doctor.js')).doctor(root(), options))
}
