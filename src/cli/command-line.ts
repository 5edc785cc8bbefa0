/** The words of `wlb`: every command, option and operand. Each command's code is loaded only when it is called. */
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { VERSION } from '../base/version.js'
import { addCa } from './words/ca.js'
import { addCert } from './words/cert.js'
import { addCompletion } from './words/completion.js'
import { addDoctor } from './words/doctor.js'
import { addLab } from './words/lab.js'
import { addTrust } from './words/trust.js'
import { addWatch } from './words/watch.js'
import { examples, integer, tlsClient } from './words/word.js'

/** Builds the whole command line; the reference page is made from it too. */
export function commandLine(): Command {
  const program = new Command('wlb')
    .description('Workload Balancing for XenServer and XCP-ng pools, with a connection that every host verifies.')
    .version(VERSION, '--version', 'print the version')
    .addOption(rootOption())
    .exitOverride()
    .showSuggestionAfterError()
    .enablePositionalOptions() // or `lab exec` would read the options of the command it runs
  let chosenRoot: string | undefined
  program.hook('preAction', (_, action) => {
    chosenRoot = rootOf(action) ?? rootOf(program)
  })
  const root = () => resolve(chosenRoot ?? process.env.WLB_ROOT ?? `${homedir()}/.openwlb`)

  program
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
    .action(async (options) => (await import('./setup.js')).setup(root(), options))

  program
    .command('serve')
    .description('run the appliance until SIGTERM; SIGHUP, or a changed certificate file, reloads the certificate')
    .addHelpText('before', examples('wlb serve', 'wlb --root /srv/wlb serve'))
    .action(async () => (await import('./serve.js')).serveCommand(root()))

  program
    .command('status')
    .description('what this appliance is, whether it runs, and which pools it serves')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb status', 'wlb status --json'))
    .action(async ({ json = false }) => (await import('./status.js')).status(root(), json))

  program
    .command('pool')
    .description('the pools that have registered')
    .command('forget <UUID>')
    .description(
      'forget a pool that can no longer say goodbye: registration, credentials, configuration, pinned certificates',
    )
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb pool forget 0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10 --yes'))
    .action(async (uuid: string, options) => (await import('./pool.js')).forget(root(), uuid, options))

  addCert(program, root)
  addCa(program, root)
  addTrust(program, root)
  addWatch(program, root)
  addDoctor(program, root)
  addLab(program, root)

  program
    .command('demo')
    .description('an appliance and a pool of three hosts, from strangers to a verified connection, step by step')
    .option('--once', 'end after the table instead of staying up until Ctrl-C')
    .option('--json', 'print one JSON document; the steps are told on stderr')
    .addOption(tlsClient())
    .addHelpText('before', examples('wlb demo', 'wlb demo --once --json'))
    .action(async (options) => {
      const { demo } = await import('./demo.js')
      process.exitCode = await demo({
        once: options.once ?? false,
        json: options.json ?? false,
        tlsClient: options.tlsClient,
        program: process.argv[1] ?? 'wlb',
      })
    })

  for (const command of leaves(program)) {
    const hasOther = command.options.some(({ long }) => long === '--root') // of an export: the root certificate
    if (command.name() !== 'demo' && !hasOther) command.addOption(rootOption()) // the demo has a folder of its own
  }
  addCompletion(program) // needs no folder
  return program
}

/** The folder named on the command line, as it was typed. */
export function givenRoot(program: Command): string | undefined {
  return [...leaves(program), program].map(rootOf).find(Boolean)
}

function rootOf(command: Command): string | undefined {
  const { root } = command.opts<{ root?: unknown }>()
  return typeof root === 'string' ? root : undefined
}

/** Every command that does something, however deep. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
}

/** It may stand before the command or behind it. */
function rootOption(): Option {
  return new Option('--root <DIR>', 'the folder that holds the appliance (environment: WLB_ROOT; default: ~/.openwlb)')
}
