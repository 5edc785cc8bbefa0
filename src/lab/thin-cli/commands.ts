/**
 * Every command of the lab's `xe`, and `help`, which answers without a session and is none of them. Shell completion
 * parses the help, so its layout is fixed.
 */
import { CERTIFICATE_COMMANDS } from './certificate-commands.js'
import type { Command } from './command.js'
import { findValue, type Parameters } from './command-line.js'
import type { Printer } from './conversation.js'
import { EVENT_COMMANDS } from './event-wait.js'
import { HOST_COMMANDS, ROLE_COMMANDS, TLS_COMMANDS } from './host-commands.js'
import { OBJECT_COMMANDS } from './object-commands.js'
import { POOL_OBJECT_COMMANDS, VM_COMMANDS } from './vm-commands.js'
import { WLB_COMMANDS } from './wlb-commands.js'

const ALL = [
  ...CERTIFICATE_COMMANDS,
  ...TLS_COMMANDS,
  ...WLB_COMMANDS,
  ...ROLE_COMMANDS,
  ...EVENT_COMMANDS,
  ...VM_COMMANDS,
  ...HOST_COMMANDS,
  ...POOL_OBJECT_COMMANDS,
  ...OBJECT_COMMANDS,
]

export const COMMANDS: ReadonlyMap<string, Command> = new Map(ALL.map((command) => [command.name, command]))

/** Keys that come with every command and ask for no help about themselves. */
const CLIENT_KEYS = ['server', 'username', 'password', 'port', 'minimal', 'all']

const LINE_LIMIT = 74
const INDENT = '    '

const USAGE = `Usage:
  xe <command>
    [ -s <server> ]            Host to talk to: the coordinator, or this host if left out
    [ -p <port> ]              Its port
    [ -u <username> -pw <password> | -pwf <password file> ]
                               Who you are; the file holds both, one a line
    [ --nossl ]                Plain TCP, no TLS
    [ --debug ]                Show what is said to the server and what it says
    [ --debug-on-fail ]        The same, but only after a failure
    [ --traceparent <value> ]  Context of a distributed trace
    [ <other arguments> ... ]  What the command takes

About one command:
  xe help <command>

`

const VM_SELECTION =
  " A VM is chosen by 'uuid=', by 'vm=' (its UUID or its name) or by any of its fields; 'xe vm-list params=all' shows them."
const HOST_SELECTION =
  " A host is chosen by 'uuid=', by 'host=' (its UUID, host name or name) or by any of its fields; 'xe host-list params=all' shows them."

/** Prints the help about the commands named, or about all of them. */
export async function printHelp(parameters: Parameters, printer: Printer, isMinimal: boolean): Promise<void> {
  const asked = parameters.map(([key]) => key).filter((key) => !CLIENT_KEYS.includes(key))
  if (asked.length > 0) {
    for (const name of asked) await printOne(name, printer)
    return
  }
  const shown = [...COMMANDS.values()].filter(({ flags }) => !flags.includes('hidden'))
  if (findValue(parameters, 'all') === 'true') await printAll(sortedNames(shown), printer, isMinimal)
  else await printCommon(sortedNames(shown.filter(({ flags }) => flags.includes('common'))), printer, isMinimal)
}

async function printOne(name: string, printer: Printer): Promise<void> {
  const command = COMMANDS.get(name)
  if (!command) return printer.list([`Unknown command '${name}'`])
  const { flags } = command
  const selectors = [
    ...(flags.includes('vm-selectors') ? ['<vm-selectors>'] : []),
    ...(flags.includes('host-selectors') ? ['<host-selectors>'] : []),
  ]
  const selection = flags.includes('vm-selectors')
    ? VM_SELECTION
    : flags.includes('host-selectors')
      ? HOST_SELECTION
      : ''
  await printer.table([
    [
      ['command name        ', name],
      ['reqd params     ', command.required.join(', ')],
      ['optional params ', [...command.optional, ...selectors].join(', ')],
      ['description     ', `${command.help}${selection}`],
    ],
  ])
}

async function printAll(names: readonly string[], printer: Printer, isMinimal: boolean): Promise<void> {
  if (isMinimal) return printer.list(names)
  const ofHosts = names.filter((name) => name.startsWith('host-'))
  const ofVms = names.filter((name) => name.startsWith('vm-'))
  const others = names.filter((name) => !ofHosts.includes(name) && !ofVms.includes(name))
  await printer.list([`${USAGE}Full command list\n-----------------\n`])
  await printer.list(wrap(ofHosts))
  await printer.list(wrap(['']))
  await printer.list(wrap(ofVms))
  await printer.list(wrap(['']))
  await printer.list(wrap(others))
}

async function printCommon(names: readonly string[], printer: Printer, isMinimal: boolean): Promise<void> {
  if (isMinimal) return printer.list(names)
  const title = 'Common command list\n-------------------\n'
  await printer.list([`${USAGE}Every command:\n  xe help --all\n\n${title}`])
  await printer.list(wrap(names))
}

/** Lines of names with commas between; a line that is broken ends without one. */
function wrap(names: readonly string[]): string[] {
  const [first = '', ...rest] = names
  const lines: string[] = []
  let line = INDENT + first
  for (const name of rest) {
    if (line.length + name.length > LINE_LIMIT) {
      lines.push(line)
      line = INDENT + name
    } else {
      line = `${line}, ${name}`
    }
  }
  return [...lines, line]
}

function sortedNames(commands: readonly Command[]): string[] {
  return commands.map(({ name }) => name).sort()
}
