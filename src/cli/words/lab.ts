/** The words of `wlb lab`. */
import { type Command, InvalidArgumentError } from 'commander'
import { FAULT_NAMES } from '../faults.js'
import { addFault } from './lab-fault.js'
import { examples, integer, tlsClient } from './word.js'

export function addLab(program: Command, root: () => string): void {
  const lab = program.command('lab').description('a pool in a box: real protocols, no hypervisor')
  lab
    .command('up')
    .description('start the pool; one that exists goes on with everything it had')
    .option('--hosts <N>', 'how many hosts a new pool has (default: 3)', integer)
    .option('--add-host <NAME=ADDRESS>', 'a line for the etc/hosts of every host (may be repeated)', nameAndAddress, [])
    .addOption(tlsClient())
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab up', 'wlb lab up --hosts 5 --add-host wlb.example.com=127.0.0.1'))
    .action(async (options) => (await import('../lab.js')).up(root(), options))
  lab
    .command('status')
    .description('each host: role, address, certificates on its disk, and the verdict of its own handshake')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab status'))
    .action(async ({ json = false }) => (await import('../lab.js')).status(root(), json))
  lab
    .command('down')
    .description('stop every host; `wlb lab up` goes on from there')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab down'))
    .action(async ({ json = false }) => (await import('../lab.js')).down(root(), json))
  lab
    .command('exec <HOST> <COMMAND...>')
    .description("run a command as on that host's own shell: `xe` needs no server and no password there")
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText('before', examples('wlb lab exec xs1 -- xe pool-list'))
    .action(async (host: string, command: string[]) => (await import('../lab.js')).exec(root(), host, command))
  lab
    .command('break <WHAT> <HOST>')
    .description('break something on one host; `start` and `mend` put it right')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab break kill xs2', 'wlb lab break start xs2', 'wlb lab break slow xs1'))
    .addHelpText('after', `\nWHAT is one of: ${FAULT_NAMES.join(', ')}`)
    .action(async (what: string, host: string, { json = false }) =>
      (await import('../lab.js')).breakHost(root(), what, host, json),
    )
  addFault(lab, root)
}

function nameAndAddress(text: string, before: readonly { name: string; address: string }[]) {
  const [name, address, ...rest] = text.split('=')
  if (!name || !address || rest.length > 0) throw new InvalidArgumentError('It must be NAME=ADDRESS.')
  return [...before, { name, address }]
}
