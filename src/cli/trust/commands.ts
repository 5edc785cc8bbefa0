/** The commands of `wlb trust`: their words, options and examples. */
import { type Command, Option } from '@commander-js/extra-typings'
import {
  applianceRoot,
  collect,
  examples,
  type FlagsOf,
  fingerprint,
  integer,
  type Parent,
  type PoolFlags,
  withGroup,
  withHostSsh,
  withPool,
  withRestart,
  withSsh,
  wlbAddress,
} from '../options.js'

export type StatusFlags = FlagsOf<typeof status>
export type PlanFlags = FlagsOf<typeof plan>
export type ApplyFlags = FlagsOf<typeof apply>
export type UndoFlags = FlagsOf<typeof undo>
export type RenewFlags = FlagsOf<typeof renew>
export type FetchFlags = FlagsOf<typeof fetch>
export type CredentialFlags = PoolFlags & FlagsOf<typeof credentialOptions>
export type InstallFlags = FlagsOf<typeof install>

export function status(trust: Parent) {
  return withHostSsh(withPool(trust.command('status')))
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
}

export function plan(trust: Parent) {
  return withGroup(trust.command('plan [FILES...]'), goalOptions)
    .description('the steps to a pool that verifies its appliance, and what each host will say; changes nothing')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb trust plan --goal self-signed --pool lab --appliance wlb.example.com:8012',
        'wlb trust plan --goal ca root_ca.pem intermediate_ca.pem --pool https://192.0.2.10 --password-file pw',
      ),
    )
    .addHelpText('after', '\nExit codes: 0 it can be applied, 1 it cannot, 2 the call is wrong.')
}

export function apply(trust: Parent) {
  return withGroup(trust.command('apply [FILES...]'), goalOptions)
    .description('carry the plan out: each step checked, written down, and taken back by `wlb trust undo`')
    .option('--resume', 'resume a run that was cut short, with the same goal and files')
    .option('--dry-run', 'print the plan, change nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb trust apply --goal self-signed --pool lab',
        'wlb trust apply --goal self-signed wlb.pem --pool lab --yes',
        'wlb trust apply --goal ca root_ca.pem --wlb-password-file pw --pool lab',
        'wlb trust apply --resume --pool lab',
      ),
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 every host verifies, 1 it stopped at a step, 2 the call is wrong, 130 interrupted.',
    )
}

export function undo(trust: Parent) {
  return withRestart(withSsh(withGroup(withPool(trust.command('undo')), credentialOptions)))
    .description('take back what the last `wlb trust apply` or `wlb trust renew` did to a pool and its appliance')
    .option('--other-pools-ready', 'every other pool of this appliance trusts the certificate before')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb trust undo --pool lab'))
    .addHelpText('after', '\nExit codes: 0 as it was before, 1 a step could not be taken back, 2 the call is wrong.')
}

export function renew(trust: Parent) {
  return withRestart(withSsh(withPool(trust.command('renew [FILES...]'))))
    .description('exchange the certificate of an appliance while every host keeps verifying it')
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
      '\nWithout FILES a self-signed certificate is made anew; over SSH both FILES and their key are needed. To resume a renewal that was cut short, run the same command again.\n\nExit codes: 0 every host verifies the new certificate, 1 it stopped at a step, 2 the call is wrong, 130 interrupted.',
    )
}

export function fetch(trust: Parent) {
  return withSsh(trust.command('fetch [USER@HOST] [FILE]'))
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
}

export function install(trust: Parent) {
  return withRestart(withSsh(trust.command('install <USER@HOST> <FILES...>')))
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
    .option('--anyway', 'also where a pool of the appliance would refuse it, which `wlb trust renew` avoids')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb trust install root@wlb.example.com signed_cert.pem intermediate_ca.pem root_ca.pem --key privatekey.nop.pem',
        'wlb trust install root@wlb.example.com chain.p7b --key server.key --dry-run',
      ),
    )
}

function goalOptions(command: Command) {
  return withSsh(withGroup(withPool(command), credentialOptions))
    .option('--ssh <USER@HOST>', 'ask the appliance itself, over SSH, which certificate it has')
    .addOption(applianceRoot())
    .addOption(
      new Option('--goal <GOAL>', 'what the pool shall trust: the certificate itself, or an authority').choices([
        'self-signed',
        'ca',
      ]),
    )
    .option('--fingerprint <SHA256>', 'of the self-signed certificate, or of the root, known beforehand', fingerprint)
    .option('--name <FQDN>', 'the name the pool is to connect to, where it is not the one it has')
    .option('--crl <FILE>', 'a revocation list of the authority (may be repeated)', collect)
    .option('--wlb-username <NAME>', 'the account of the appliance that the pool connects with')
}

function credentialOptions(command: Command) {
  return command
    .option('--wlb-password-file <FILE>', 'the password of the appliance, where the pool has to be connected (again)')
    .option('--allow-down', 'leave out hosts that are down')
}
