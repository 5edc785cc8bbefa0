/** The words of `wlb cert`. */
import type { Command } from 'commander'
import { examples } from './word.js'

export function addCert(program: Command, root: () => string): void {
  const cert = program.command('cert').description('the certificate of this appliance')
  cert
    .command('show')
    .description('names, dates, fingerprints and chain: on disk, and as served')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert show'))
    .action(async ({ json = false }) => (await import('../cert.js')).certShow(root(), json))
}
