/** The commands of `wlb` that stand alone: their words, options and examples. Those of a group are declared in its folder. */
import { Argument, Option } from '@commander-js/extra-typings'
import { SHELLS } from './completion/typed-words.js'
import {
  dateOrTime,
  examples,
  type FlagsOf,
  integer,
  type Parent,
  tlsClient,
  withHostSsh,
  withPool,
  wlbAddress,
} from './options.js'

export type SetupFlags = FlagsOf<typeof setup>
export type PasswordFlags = FlagsOf<typeof accountPassword>
export type ForgetFlags = FlagsOf<typeof poolForget>
export type WatchFlags = FlagsOf<typeof watch>
export type DoctorFlags = FlagsOf<typeof doctor>
export type DemoFlags = FlagsOf<typeof demo>

export function setup(program: Parent) {
  return program
    .command('setup')
    .description('configure this machine as an appliance; run again, it keeps what is there and says so')
    .option('--hostname <FQDN>', 'the name pools connect to; it goes into the certificate')
    .option('--address <IP>', 'the address to listen on; 0.0.0.0 means every address of this machine')
    .option('--port <N>', 'the port to listen on (default: 8012)', integer)
    .option('--username <NAME>', 'the user name pools present (default: wlbuser)')
    .option('--password-file <FILE>', 'the password pools present: the first line of FILE')
    .option('--database <URL>', 'a PostgreSQL server (postgres://...) instead of the embedded database')
    .option('--yes', 'ask nothing; take the defaults for what is not given')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb setup', 'wlb setup --hostname wlb.example.com --password-file pw --yes'))
}

export function serve(program: Parent) {
  return program
    .command('serve')
    .description('run the appliance until SIGTERM; SIGHUP, or a changed certificate file, reloads the certificate')
    .addHelpText('before', examples('wlb serve', 'wlb --root /srv/wlb serve'))
}

export function status(program: Parent) {
  return program
    .command('status')
    .description('what this appliance is, whether it runs, and which pools it serves')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb status', 'wlb status --json'))
    .addHelpText(
      'after',
      '\nExit codes: 0 pools are served, 1 they are not, or those that verify refuse what they meet: the appliance is stopped,\nits database or its certificate cannot be used, the certificate is out of its dates or lacks the host name.',
    )
}

export function accountShow(account: Parent) {
  return account
    .command('show')
    .description('the name pools present, whether the running appliance takes it, and how many pools do')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb account show'))
}

export function accountPassword(account: Parent) {
  return account
    .command('password')
    .description('another password for pools to present; the running appliance takes it over at once')
    .option('--password-file <FILE>', 'the new password: the first line of FILE (else it is asked for)')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb account password', 'wlb account password --password-file pw'))
}

export function poolForget(pool: Parent) {
  return pool
    .command('forget <UUID>')
    .description(
      'forget a pool that no longer exists: its registration, credentials, configuration, pinned certificates',
    )
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb pool forget 0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10 --yes'))
}

export function watch(program: Parent) {
  return withPool(program.command('watch'))
    .description('check pools at intervals, and print what broke, what changed, and what expires soon')
    .addOption(new Option('--fleet <FILE>', 'many pools, listed in a file (docs/fleet.md)').conflicts('pool'))
    .option('--every <SECONDS>', 'between two checks (default: 3600)', integer)
    .option('--once', 'check once; exit code 0: all is well, 1: something is wrong, 2: could not tell')
    .option(
      '--test',
      'send a test message to the webhook and the mailbox given, or to those of [watch] in openwlb.toml; then end',
    )
    .option('--webhook <URL>', 'an https address that gets every event')
    .option('--mail-to <ADDRESS>', 'a mailbox that gets every event')
    .option('--mail-from <ADDRESS>', 'the sender of that mail (default: the same address)')
    .option('--smtp <HOST:PORT>', 'the server that takes the mail (default: 127.0.0.1:25)', wlbAddress)
    .option('--json', 'print one JSON document a line')
    .addHelpText(
      'before',
      examples(
        'wlb watch --pool lab',
        'wlb watch --fleet pools.toml --once',
        'wlb watch --test --mail-to ops@example.com',
        'wlb watch --fleet pools.toml --webhook https://chat.example.com/hooks/1 --mail-to ops@example.com',
      ),
    )
    .addHelpText('after', '\nWithout --pool and --fleet every known pool is watched.')
}

export function doctor(program: Parent) {
  return withHostSsh(withPool(program.command('doctor')))
    .description(
      'why a pool and its appliance do not connect, or connect unverified; the cause to repair first comes first',
    )
    .option('--at <DATE>', 'predict for another time: 2026-03-01, or 2026-03-01T08:00:00Z', dateOrTime)
    .option(
      '--predict',
      'print only the error a call through the pool ends with, as a JSON array: empty when it succeeds',
    )
    .option('--fix', 'repair what is safe to repair (a sync, a reload, the mode of a key), after asking once')
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
}

export function demo(program: Parent) {
  return program
    .command('demo')
    .description('an appliance and a pool of three hosts, from no connection to a verified one, step by step')
    .option('--once', 'end after the table instead of staying up until Ctrl-C')
    .option('--json', 'print one JSON document; the steps are printed on stderr')
    .addOption(tlsClient())
    .addHelpText('before', examples('wlb demo', 'wlb demo --once --json'))
}

export function completion(program: Parent) {
  return program
    .command('completion')
    .addArgument(new Argument('<SHELL>', 'the shell the script is for').choices(SHELLS))
    .description('a script that completes the words of wlb and xe when Tab is pressed; how to install it is at its top')
    .addHelpText('before', examples('source <(wlb completion bash)', 'wlb completion fish | source'))
}
