/** The words of `wlb trust plan`, `apply` and `undo`. */
import { type Command, Option } from 'commander'
import { fingerprint, withPool } from './pool-options.js'
import { applianceRoot, withRestart, withSsh } from './ssh-options.js'
import { collect, examples } from './word.js'

export function addTrustPlan(trust: Command, root: () => string): void {
  withGoal(trust.command('plan [FILES...]'))
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
    .action(async (files: string[], options) => (await import('../trust/plan.js')).trustPlan(root(), files, options))
  withGoal(trust.command('apply [FILES...]'))
    .description('carry the plan out: each step checked, written down, and taken back by `wlb trust undo`')
    .option('--resume', 'go on with a run that was cut short; goal and files are as they were')
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
    .action(async (files: string[], options) => (await import('../trust/apply.js')).trustApply(root(), files, options))
  withRestart(withSsh(withCredentials(withPool(trust.command('undo')))))
    .description('take back what the last `wlb trust apply` or `wlb trust renew` did to a pool and its appliance')
    .option('--other-pools-ready', 'every other pool of this appliance trusts the certificate before')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb trust undo --pool lab'))
    .addHelpText('after', '\nExit codes: 0 as it was before, 1 a step could not be taken back, 2 the call is wrong.')
    .action(async (options) => (await import('../trust/undo.js')).trustUndo(root(), options))
}

function withGoal(command: Command): Command {
  return withSsh(withCredentials(withPool(command)))
    .option('--ssh <USER@HOST>', 'ask the appliance itself, over SSH, which certificate it has')
    .addOption(applianceRoot())
    .addOption(
      new Option('--goal <GOAL>', 'what is to be trusted: the very certificate, or an authority').choices([
        'self-signed',
        'ca',
      ]),
    )
    .option('--fingerprint <SHA256>', 'of the self-signed certificate, or of the root, known beforehand', fingerprint)
    .option('--name <FQDN>', 'the name the pool is to connect to, where it is not the one it has')
    .option('--crl <FILE>', 'a revocation list of the authority (may be repeated)', collect)
    .option('--wlb-username <NAME>', 'the account of the appliance that the pool connects with')
}

function withCredentials(command: Command): Command {
  return command
    .option('--wlb-password-file <FILE>', 'the password of the appliance, where the pool has to be connected (again)')
    .option('--allow-down', 'leave hosts behind that are down')
}
