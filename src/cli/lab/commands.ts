/** The commands of `wlb lab`: their words, options and examples. */
import { isIP } from 'node:net'
import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { isHostAddress } from '../../base/names/host-address.js'
import { type LabFault, LOAD_KINDS } from '../../lab/index.js'
import { examples, type FlagsOf, integer, type Parent, tlsClient } from '../options.js'

/** What `wlb lab break` does to a host, and the state of the host afterwards. */
export const FAULTS: Readonly<Record<LabFault, string>> = {
  stop: 'is stopped',
  kill: 'is dead',
  start: 'is up and live',
  'remove-bundle': 'has no bundle any more',
  'corrupt-bundle': 'has a bundle that begins with garbage',
  'truncate-bundle': 'has a bundle that ends in a broken block',
  'junk-crl': 'has a file among its revocation lists that is none',
  deafen: 'is live, and cannot be reached',
  slow: 'answers XenAPI late',
  cut: 'breaks off in the middle of its answers',
  garbage: 'answers XenAPI with something else',
  'no-metrics': 'publishes no metrics',
  'nan-metrics': 'publishes unknown values only',
  'slow-metrics': 'publishes its metrics late',
  clock: 'has a clock that is an hour ahead',
  mend: 'answers, publishes and keeps time as it should',
  'expire-sessions': 'has ended the sessions of its users',
}

export const FAULT_NAMES: readonly string[] = Object.keys(FAULTS)

export type UpFlags = FlagsOf<typeof up>
export type LoadFlags = FlagsOf<typeof load>
export type InjectFlags = FlagsOf<typeof inject>

export function up(lab: Parent) {
  return lab
    .command('up')
    .description('start the pool; one that exists goes on with everything it had')
    .option('--hosts <N>', 'how many hosts a new pool has (default: 3)', integer)
    .option('--vms <N>', 'how many virtual machines its hosts run together (default: two a host)', integer)
    .option('--seed <N>', 'what decides about them: the same number, the same machines (default: by chance)', integer)
    .option('--speed <N>', 'their days pass, and they migrate, so many times faster (default: 1)', integer)
    .addOption(new Option('--load <KIND>', 'how busy they are (default: diurnal)').choices(LOAD_KINDS))
    .option('--trace <FILE>', 'recorded days in place of generated ones: PlanetLab traces, a file or a folder')
    .option('--add-host <NAME=ADDRESS>', 'a line for the etc/hosts of every host (may be repeated)', nameAndAddress, [])
    .addOption(tlsClient())
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb lab up',
        'wlb lab up --hosts 16 --vms 300 --load bursty',
        'wlb lab up --add-host wlb.example.com=127.0.0.1',
      ),
    )
}

export function status(lab: Parent) {
  return lab
    .command('status')
    .description('each host: role, address, certificates on its disk, and the verdict of its own handshake')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab status'))
}

export function down(lab: Parent) {
  return lab
    .command('down')
    .description('stop every host; `wlb lab up` goes on from there')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab down'))
}

export function execOnHost(lab: Parent) {
  return lab
    .command('exec <HOST> <COMMAND...>')
    .description("run a command as on that host's own shell: `xe` needs no server and no password there")
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText('before', examples('wlb lab exec xs1 -- xe pool-list'))
}

export function breakHost(lab: Parent) {
  return lab
    .command('break <WHAT> <HOST>')
    .description('break something on one host; `start` and `mend` put it right')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab break kill xs2', 'wlb lab break start xs2', 'wlb lab break slow xs1'))
    .addHelpText('after', `\nWHAT is one of: ${FAULT_NAMES.join(', ')}`)
}

export function vms(lab: Parent) {
  return lab
    .command('vms')
    .description('each virtual machine: where it runs, what it has, what it uses now')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab vms'))
}

export function load(lab: Parent) {
  return lab
    .command('load')
    .argument('<MACHINE>', 'name or UUID of a virtual machine, or of a host: its control domain is meant')
    .requiredOption('--cpu <CORES>', 'how many processors it demands from now on: 3.5', cores)
    .option('--for <MINUTES>', 'only so long (default: until the next load)', minutes)
    .description('pin the processor time that a machine demands')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab load web-01 --cpu 2', 'wlb lab load xs1 --cpu 1.5 --for 10'))
}

export function top(lab: Parent) {
  return lab
    .command('top')
    .description(
      'hosts and virtual machines, the busiest first, drawn again every two seconds; once where there is no terminal',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab top'))
}

export function inject(fault: Parent) {
  return fault
    .command('inject')
    .argument('<ROW>', 'the number of the row', integer)
    .description('bring about the state of one row of the failure catalogue; several may follow one another')
    .option('--host <NAME>', 'on this host alone')
    .option('--variant <NAME>', 'in another form, where the list names some')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab fault inject 22', 'wlb lab fault inject 5 --host xs2'))
}

export function clear(fault: Parent) {
  return fault
    .command('clear')
    .description('take back every row that was injected')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab fault clear'))
}

export function list(fault: Parent) {
  return fault
    .command('list')
    .description('the rows that can be injected: where, and what happens')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb lab fault list'))
}

/** `wlb lab break WHAT HOST` under the name it had before 0.2; removed after one release. */
export function oldFault(fault: Parent, what: string) {
  return fault
    .command(`${what} <HOST>`, { hidden: true })
    .description(`the same as \`wlb lab break ${what} HOST\``)
    .option('--json', 'print one JSON document')
}

function cores(text: string): number {
  if (!/^\d{1,4}(\.\d{1,3})?$/.test(text))
    throw new InvalidArgumentError('It must be a number of processors, such as 1.5.')
  return Number(text)
}

function minutes(text: string): number {
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || Number(text) === 0) {
    throw new InvalidArgumentError('It must be a number of minutes.')
  }
  return Number(text)
}

function nameAndAddress(text: string, before: readonly { name: string; address: string }[]) {
  const [name, address, ...rest] = text.split('=')
  const isPossible = name && address && rest.length === 0 && isHostAddress(name) && isIP(address) !== 0
  if (!isPossible) throw new InvalidArgumentError('It must be NAME=ADDRESS.')
  return [...before, { name, address }]
}
