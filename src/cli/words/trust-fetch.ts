/** The words of `wlb trust fetch`. */
import { type Command, Option } from 'commander'
import { fingerprint, wlbAddress } from './pool-options.js'
import { applianceRoot, withSsh } from './ssh-options.js'
import { examples } from './word.js'

export function addTrustFetch(trust: Command, root: () => string): void {
  withSsh(trust.command('fetch [USER@HOST] [FILE]'))
    .description("bring an appliance's certificate here, as scp would, and compare it with what its port serves")
    .option('--from-tls <HOST:PORT>', 'take it from a handshake instead of over SSH', wlbAddress)
    .option('--fingerprint <SHA256>', 'with --from-tls: the certificate, known beforehand', fingerprint)
    .addOption(new Option('--local', 'take it from the appliance in this folder (--root)').conflicts('fromTls'))
    .option('--appliance <HOST:PORT>', 'the port it is compared with (default: HOST:8012)', wlbAddress)
    .addOption(applianceRoot())
    .option('--overwrite', 'replace FILE where it holds something else')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb trust fetch root@wlb.example.com',
        'wlb trust fetch root@192.0.2.7 wlb2.pem --ssh-key id_ed25519 --ssh-fingerprint SHA256:...',
        'wlb trust fetch --from-tls wlb.example.com:8012 --fingerprint 3F:0A:...',
        'wlb --root /srv/wlb trust fetch --local',
      ),
    )
    .addHelpText(
      'after',
      '\nFILE is wlb.pem in this folder by default. Exit codes: 0 the same, 1 they differ, 2 could not tell.',
    )
    .action(async (first: string | undefined, second: string | undefined, options) =>
      (await import('../trust/fetch.js')).trustFetch(root(), [first, second], options),
    )
}
