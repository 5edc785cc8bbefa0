/** The words of `wlb trust install`. */
import type { Command } from 'commander'
import { wlbAddress } from './pool-options.js'
import { applianceRoot, withRestart, withSsh } from './ssh-options.js'
import { examples } from './word.js'

export function addTrustInstall(trust: Command): void {
  withRestart(withSsh(trust.command('install <USER@HOST> <FILES...>')))
    .description(
      'put a signed certificate and its key in place on an appliance elsewhere, over SSH, and prove it is served',
    )
    .option('--key <FILE>', 'the private key, where it is not among the files')
    .option('--passphrase-file <FILE>', 'the passphrase of that key, or of a PKCS#12 file: the first line of FILE')
    .option('--name <FQDN>', 'the name pools connect to (default: HOST, or what hostname says there)')
    .option('--appliance <HOST:PORT>', 'where the appliance answers (default: HOST:8012)', wlbAddress)
    .addOption(applianceRoot())
    .option('--dry-run', 'print the plan, change nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb trust install root@wlb.example.com signed_cert.pem intermediate_ca.pem root_ca.pem --key privatekey.nop.pem',
        'wlb trust install root@wlb.example.com chain.p7b --key server.key --dry-run',
      ),
    )
    .action(async (target: string, files: string[], options) =>
      (await import('../trust/install.js')).trustInstall(target, files, options),
    )
}
