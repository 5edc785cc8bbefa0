/** `wlb lab …`: starts, shows, breaks and stops a simulated pool. */

import { visible } from '../../base/text/printable.js'
import { quoteWord, shell } from '../../base/text/quote-word.js'
import {
  clearFaults,
  type FaultRow,
  injectFault,
  type LabDocument,
  type LabFault,
  labDown,
  labExec,
  labFault,
  labStatus,
  labUp,
  listFaults,
  passwordFile,
} from '../../lab/index.js'
import { fail } from '../errors.js'
import { EXIT, printJson, printNote, printText, renderTable, toType } from '../terminal/print.js'
import { FAULT_NAMES, FAULTS, type InjectFlags, type UpFlags } from './commands.js'

export async function up(root: string, { addHost, json, ...numbers }: UpFlags): Promise<void> {
  printNote('starting the hosts of the pool\n')
  const { document, already } = await labUp({ root, addHosts: addHost, ...numbers })
  if (json) return printJson(document)
  printText(`${already ? 'The pool is up already.' : 'The pool is up.'}\n\n${describe(visible(document))}\n\n`)
  const [first] = document.hosts
  printText(`On a host:     ${toType(shell`wlb lab exec ${first?.name} -- xe pool-list`, root)}\n`)
  printText(
    `From outside:  ${toType(`xe -s ${first?.address}${portOption(first?.tlsPort)} -pwf ${quoteWord(passwordFile(root))} pool-list`)}\n`,
  )
}

function portOption(tlsPort: number | undefined): string {
  return tlsPort === 443 ? '' : ` -p ${tlsPort}`
}

/** Exits 1 when a host does not run or its handshake with the appliance is refused. */
export async function status(root: string, json = false): Promise<void> {
  const document = await labStatus(root)
  if (json) printJson(document)
  else printText(`${describe(visible(document))}\n`)
  if (document.hosts.some(({ pid, wlb }) => pid === null || wlb?.accepted === false)) process.exitCode = EXIT.no
}

export async function down(root: string, json = false): Promise<void> {
  const { already } = await labDown(root)
  if (json) printJson({ already })
  else printText(already ? 'The pool is down already.\n' : 'The pool is down; wlb lab up goes on from here.\n')
}

/** Ends with the command's own exit code. The `--` that ends our own options is not part of the command. */
export async function exec(root: string, host: string, words: readonly string[]): Promise<void> {
  const command = words[0] === '--' ? words.slice(1) : words
  process.exitCode = await labExec({ root, host, command })
}

/** @throws USAGE_FAULT when there is no such fault. */
export async function breakHost(root: string, action: string, host: string, json = false): Promise<void> {
  if (!isFault(action)) throw fail('USAGE_FAULT', { action, known: FAULT_NAMES.join(', ') })
  await labFault({ root, action, host })
  if (json) printJson({ host, action })
  else printText(`${host} ${FAULTS[action]}\n`)
}

function isFault(action: string): action is LabFault {
  return Object.hasOwn(FAULTS, action)
}

/** Installed certificates are those on the host's own disk, the verdict that of its own handshake. */
function describe({ pool, hosts }: LabDocument): string {
  const rows = hosts.map(({ name, role, address, tlsPort, plainPort, pid, certificates, wlb }) => [
    name,
    pid === null ? 'down' : role,
    address,
    `${tlsPort} ${plainPort}`,
    certificates.join(' ') || '-',
    verdictOf(wlb),
  ])
  return `pool ${pool}\n\n${renderTable(['host', 'role', 'address', 'ports', 'installed', 'handshake with the appliance'], rows)}`
}

/** One word for each outcome of a host's own handshake. */
export function verdictOf(wlb: LabDocument['hosts'][number]['wlb']): string {
  if (wlb === null) return 'not connected'
  return wlb.accepted ? 'verified' : wlb.reason
}

export async function inject(root: string, row: number, { host, variant, json }: InjectFlags): Promise<void> {
  const { fault, already } = await injectFault({ root, row, host, variant })
  if (json) return printJson({ ...fault, host: host ?? null, variant: variant ?? null, already })
  const where = host ?? fault.where
  printText(`row ${row} (${where}): ${fault.what}${already ? ' (already so)' : ''}\n`)
  printText(`take it back: ${toType('wlb lab fault clear', root)}\n`)
}

export async function clear(root: string, json = false): Promise<void> {
  const { cleared } = await clearFaults(root)
  if (json) return printJson({ cleared, already: cleared.length === 0 })
  printText(cleared.length === 0 ? 'Nothing was injected.\n' : `taken back: row ${cleared.join(', row ')}\n`)
}

export function list(json = false): void {
  const rows = listFaults()
  if (json) printJson(rows)
  else printText(`${renderTable(['row', 'where', 'what happens'], rows.map(describeRow))}\n`)
}

function describeRow({ row, where, what, variants }: FaultRow): string[] {
  return [String(row), where, variants.length === 0 ? what : `${what} (--variant ${variants.join(', ')})`]
}
