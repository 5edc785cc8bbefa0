/** The words of `wlb cert` for the identities an appliance had, has, and makes for itself. */
import { type Command, Option } from 'commander'
import { examples, integer } from './word.js'

export function addIdentities(cert: Command, root: () => string): void {
  cert
    .command('history')
    .description('every certificate that was in place here, the newest first')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert history'))
    .action(async ({ json = false }) => (await import('../cert/history.js')).certHistory(root(), json))
  cert
    .command('rollback [ID]')
    .description('put an earlier certificate and key in place again; without ID the ones replaced last')
    .option('--dry-run', 'print the plan, change nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert rollback', 'wlb cert rollback 3f9a1c22b0d4 --yes'))
    .action(async (id: string | undefined, options) =>
      (await import('../cert/rollback.js')).certRollback(root(), id, options),
    )
  cert
    .command('export')
    .description('the certificates in place, as they are served, for a pool or a colleague; never a key')
    .option('--leaf', 'the certificate of this appliance alone')
    .option('--chain', 'leaf and intermediates, without the root')
    .option('--root', 'the root alone (a folder other than the usual one: wlb --root DIR cert export)')
    .option('--der', 'DER instead of PEM; one certificate only')
    .option('--out <FILE>', 'write it there instead of standard output')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert export --out wlb.pem', 'wlb cert export --root --der --out root_ca.cer'))
    .action(async (options) => (await import('../cert/export.js')).certExport(root(), options))
  cert
    .command('self-signed')
    .description('replace the certificate by a new self-signed one: another name, key or lifetime')
    .option('--hostname <FQDN>', 'the name in it (default: the configured host name)')
    .option('--days <N>', 'how long it is valid (default: 3650)', integer)
    .addOption(
      new Option('--key-bits <N>', 'the size of the RSA key (default: 2048)').choices(['2048', '3072', '4096']),
    )
    .option('--dry-run', 'print the plan, change nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert self-signed', 'wlb cert self-signed --hostname wlb2.example.com --yes'))
    .action(async (options) => (await import('../cert/self-signed.js')).certSelfSigned(root(), options))
}
