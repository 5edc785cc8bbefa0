/**
 * The whole command line of `wlb`: each command, and the function that carries it out. A function is loaded when its command
 * is called, so that `wlb --version` and shell completion load no room.
 */
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import * as balance from './balance/commands.js'
import * as ca from './ca/commands.js'
import * as cert from './cert/commands.js'
import * as single from './commands.js'
import * as lab from './lab/commands.js'
import { type TypedCall, typedCall } from './terminal/typed-call.js'
import * as trust from './trust/commands.js'
import { certGroup, givenRoot, leaves, rootOption, wlbCommand } from './wlb-command.js'

export { run } from './run.js'

/** Builds the command line for a call with these words; the reference page and shell completion are made from it too. */
export function commandLine(argv: readonly string[] = []): CommandUnknownOpts {
  const { program, root } = wlbCommand()
  const call = () => typedCall(argv, program)

  single.setup(program).action(async (flags) => (await import('./setup.js')).setup(root(), flags))
  single.serve(program).action(async () => (await import('./serve.js')).serveCommand(root()))
  single.status(program).action(async ({ json }) => (await import('./status.js')).status(root(), json))
  const account = program.command('account').description('the name and password that pools present')
  single.accountShow(account).action(async ({ json }) => (await import('./account.js')).accountShow(root(), json))
  single.accountPassword(account).action(async (flags) => (await import('./account.js')).accountPassword(root(), flags))
  const pools = program.command('pool').description('the pools that have registered')
  single.poolForget(pools).action(async (uuid, flags) => (await import('./pool.js')).forget(root(), uuid, flags))
  addCert(program, root)
  addCa(program, root)
  addTrust(program, root, call)
  single.watch(program).action(async (flags) => (await import('./watch.js')).watch(root(), flags))
  single
    .doctor(program)
    .action(async (flags) =>
      (await import('./doctor.js')).doctor(root(), flags, { root: givenRoot(program), call: call() }),
    )
  addBalance(program)
  addLab(program, root)
  single.demo(program).action(async (flags) => (await import('./demo.js')).demo(process.argv[1] ?? 'wlb', flags))

  for (const command of leaves(program)) {
    const hasOther = command.options.some(({ long }) => long === '--root') // of an export: the root certificate
    if (command.name() !== 'demo' && !hasOther) command.addOption(rootOption()) // the demo has a folder of its own
  }
  single.completion(program).action(async (shell) => {
    process.stdout.write((await import('./completion/scripts.js')).SCRIPTS[shell])
  })
  return program
}

type Root = () => string

function addCert(program: CommandUnknownOpts, root: Root): void {
  const group = certGroup(program)
  cert.show(group).action(async ({ json }) => (await import('./cert/show.js')).certShow(root(), json))
  cert
    .install(group)
    .action(async (files, flags) => (await import('./cert/install.js')).certInstall(root(), files, flags))
  cert.check(group).action(async (files, flags) => (await import('./cert/check.js')).certCheck(root(), files, flags))
  cert.history(group).action(async ({ json }) => (await import('./cert/rollback.js')).certHistory(root(), json))
  cert.rollback(group).action(async (id, flags) => (await import('./cert/rollback.js')).certRollback(root(), id, flags))
  cert.exportCertificates(group).action(async (flags) => (await import('./cert/export.js')).certExport(root(), flags))
  cert.selfSigned(group).action(async (flags) => (await import('./cert/self-signed.js')).certSelfSigned(root(), flags))
  cert.request(group).action(async (flags) => (await import('./cert/request.js')).certRequest(root(), flags))
  cert.acme(group).action(async (flags) => (await import('./cert/acme/acme.js')).certAcme(root(), flags))
}

function addCa(program: CommandUnknownOpts, root: Root): void {
  const group = program
    .command('ca')
    .description('a small authority for labs and small sites: no hardware keeps its keys, nobody audits it')
  ca.create(group).action(async (flags) => (await import('./ca/authority.js')).create(root(), flags))
  ca.sign(group).action(async (csr, flags) => (await import('./ca/sign.js')).sign(root(), csr, flags))
  ca.revoke(group).action(async (given, flags) => (await import('./ca/revocation.js')).revoke(root(), given, flags))
  ca.crl(group).action(async (flags) => (await import('./ca/revocation.js')).crl(root(), flags))
  ca.list(group).action(async (flags) => (await import('./ca/authority.js')).list(root(), flags))
}

function addTrust(program: CommandUnknownOpts, root: Root, call: () => TypedCall): void {
  const group = program.command('trust').description('make every host of a pool trust the appliance, and keep it so')
  trust.status(group).action(async ({ fleet, ...flags }) => {
    if (fleet !== undefined) return (await import('./trust/fleet.js')).fleetStatus(fleet, flags)
    return (await import('./trust/status.js')).trustStatus(root(), flags, call())
  })
  trust
    .plan(group)
    .action(async (files, flags) => (await import('./trust/plan.js')).trustPlan(root(), files, flags, call()))
  trust
    .apply(group)
    .action(async (files, flags) => (await import('./trust/apply.js')).trustApply(root(), files, flags, call()))
  trust.undo(group).action(async (flags) => (await import('./trust/apply.js')).trustUndo(root(), flags, call()))
  trust
    .renew(group)
    .action(async (files, flags) => (await import('./trust/renew.js')).trustRenew(root(), files, flags, call()))
  trust
    .fetch(group)
    .action(async (first, second, flags) =>
      (await import('./trust/fetch.js')).trustFetch(root(), [first, second], flags),
    )
  trust
    .install(group)
    .action(async (target, files, flags) => (await import('./trust/install.js')).trustInstall(target, files, flags))
}

function addBalance(program: CommandUnknownOpts): void {
  const group = program
    .command('balance')
    .description('advice on a pool that a document describes: what to move, and why')
  balance.plan(group).action(async (flags) => (await import('./balance/plan.js')).balancePlan(flags))
  balance.place(group).action(async (flags) => (await import('./balance/place.js')).balancePlace(flags))
  balance.evacuate(group).action(async (flags) => (await import('./balance/evacuate.js')).balanceEvacuate(flags))
  balance.capacity(group).action(async (flags) => (await import('./balance/capacity.js')).balanceCapacity(flags))
  balance.whatIf(group).action(async (flags) => (await import('./balance/what-if.js')).balanceWhatIf(flags))
  balance.simulate(group).action(async (flags) => (await import('./balance/simulate.js')).balanceSimulate(flags))
}

function addLab(program: CommandUnknownOpts, root: Root): void {
  const group = program.command('lab').description('a pool in a box: real protocols, no hypervisor')
  const load = () => import('./lab/lab.js')
  lab.up(group).action(async (flags) => (await load()).up(root(), flags))
  lab.status(group).action(async ({ json }) => (await load()).status(root(), json))
  lab.down(group).action(async ({ json }) => (await load()).down(root(), json))
  lab.execOnHost(group).action(async (host, command) => (await load()).exec(root(), host, command))
  lab.breakHost(group).action(async (what, host, { json }) => (await load()).breakHost(root(), what, host, json))
  const running = () => import('./lab/load.js')
  lab.vms(group).action(async ({ json }) => (await running()).vms(root(), json))
  lab.load(group).action(async (machine, flags) => (await running()).load(root(), machine, flags))
  lab.top(group).action(async ({ json }) => (await import('./lab/top.js')).top(root(), json))
  const fault = group.command('fault').description('bring about rows of the failure catalogue, and take them back')
  lab.inject(fault).action(async (row, flags) => (await load()).inject(root(), row, flags))
  lab.clear(fault).action(async ({ json }) => (await load()).clear(root(), json))
  lab.list(fault).action(async ({ json }) => (await load()).list(json))
  for (const what of lab.FAULT_NAMES) {
    lab.oldFault(fault, what).action(async (host, { json }) => (await load()).breakHost(root(), what, host, json))
  }
}
