/** The words of `wlb cert check`. */
import { type Command, Option } from 'commander'
import { wlbAddress } from './pool-options.js'
import { dateOrTime, examples } from './word.js'

export function addCertCheck(cert: Command, root: () => string): void {
  cert
    .command('check [FILES...]')
    .description(
      'what a pool would say of certificates: leaf first, then what else is sent (default: the ones served here)',
    )
    .option('--name <NAME>', 'the name pools connect to (default: the host of --connect, or the one of this appliance)')
    .option('--trust <FILES...>', "what hosts trust, as their bundle has it (default: the chain's own root)")
    .option('--crl <FILE>', 'a revocation list that is installed (may be repeated)', repeated, [])
    .option('--at <DATE>', 'ask about another time: 2026-03-01, or 2026-03-01T08:00:00Z', dateOrTime)
    .option('--connect <HOST:PORT>', 'ask a server instead of files', wlbAddress)
    .addOption(new Option('--as-pool', 'the rules of a pool (default)').conflicts('asBrowser'))
    .option('--as-browser', 'the rules of a strict client such as a browser (an approximation)')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb cert check',
        'wlb cert check server.pem --name wlb.example.com --trust root.pem',
        'wlb cert check --connect wlb.example.com:8012 --trust root.pem --at 2027-01-01',
      ),
    )
    .addHelpText('after', '\nExit codes: 0 accepted, 1 refused, 2 could not tell.')
    .action(async (files: string[], options) => (await import('../cert/check.js')).certCheck(root(), files, options))
}

function repeated(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}
