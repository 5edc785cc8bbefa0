/** The words of `wlb lab fault`: rows of the failure catalogue. */
import type { Command } from 'commander'
import { FAULT_NAMES } from '../faults.js'
import { examples, integer } from './word.js'

export function addFault(lab: Command, root: () => string): void {
  const fault = lab.command('fault').description('bring about rows of the failure catalogue, and take them back')
  fault
    .command('inject')
    .argument('<ROW>', 'the number of the row', integer)
    .description('bring about the state of one row of the failure catalogue; several may follow one another')
    .option('--host <NAME>', 'on this host alone')
    .option('--variant <NAME>', 'in another form, where the list names some')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab fault inject 22', 'wlb lab fault inject 5 --host xs2'))
    .action(async (row: number, options) => (await import('../lab-faults.js')).inject(root(), row, options))
  fault
    .command('clear')
    .description('take back every row that was injected')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab fault clear'))
    .action(async ({ json = false }) => (await import('../lab-faults.js')).clear(root(), json))
  fault
    .command('list')
    .description('the rows that can be injected: where, and what happens')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab fault list'))
    .action(async ({ json = false }) => (await import('../lab-faults.js')).list(json))
  // `wlb lab break WHAT HOST` under the name it had before: it goes after one release
  for (const what of FAULT_NAMES) {
    fault
      .command(`${what} <HOST>`, { hidden: true })
      .description(`the same as \`wlb lab break ${what} HOST\``)
      .option('--json', 'print one JSON document')
      .action(async (host: string, { json = false }) => (await import('../lab.js')).breakHost(root(), what, host, json))
  }
}
