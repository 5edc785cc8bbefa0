/** The words of `wlb trust renew`. */
import type { Command } from 'commander'
import { withPool } from './pool-options.js'
import { applianceRoot, withRestart, withSsh } from './ssh-options.js'
import { examples } from './word.js'

export function addTrustRenew(trust: Command, root: () => string): void {
  withRestart(withSsh(withPool(trust.command('renew [FILES...]'))))
    .description('exchange the certificate of an appliance without a moment in which a host does not verify')
    .option('--key <FILE>', 'the private key, where it is not the one that was made for the request')
    .option('--passphrase-file <FILE>', 'the passphrase of the key, or of a PKCS#12 file: the first line of FILE')
    .option('--name <FQDN>', 'a new host name: the pool is connected by it in the end')
    .option('--wlb-username <NAME>', 'the account of the appliance that the pool connects with')
    .option('--wlb-password-file <FILE>', 'the password of the appliance, where the pool has to be connected again')
    .option('--other-pools-ready', 'every other pool of this appliance trusts the new certificate already')
    .option('--ssh <USER@HOST>', 'the appliance is on another machine, and is asked there, over SSH')
    .option('--manage', 'exchange the certificate there, over SSH')
    .addOption(applianceRoot())
    .option('--dry-run', 'print the plan, change nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb trust renew --pool lab',
        'wlb trust renew signed_cert.pem intermediate_ca.pem root_ca.pem --pool lab --yes',
        'wlb trust renew signed_cert.pem root_ca.pem --key server.key --pool lab --ssh root@wlb.example.com --manage',
        'wlb trust renew --name wlb2.example.com --wlb-password-file pw --pool lab',
      ),
    )
    .addHelpText(
      'after',
      '\nWithout FILES a self-signed certificate is made anew; over SSH both FILES and their key are needed. A renewal that was cut short is gone on with.\n\nExit codes: 0 every host verifies the new certificate, 1 it stopped at a step, 2 the call is wrong, 130 interrupted.',
    )
    .action(async (files: string[], options) => (await import('../trust/renew.js')).trustRenew(root(), files, options))
}
