/** `wlb lab top`: hosts and virtual machines as xentop shows them. At a terminal the screen is drawn again until q or Ctrl-C. */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { visible } from '../../base/text/printable.js'
import { type HostUse, labUse, type PoolUse, type VmUse } from '../../lab/index.js'
import { printJson, printText, renderTable } from '../terminal/print.js'

const EVERY_MS = 2_000
/** Without the terminal's own number. */
const LINES = 24

export async function top(root: string, json = false): Promise<void> {
  const use = await labUse(root)
  if (json) return printJson(use)
  if (!process.stdout.isTTY || !process.stdin.isTTY) return printText(`${describeTop(visible(use)).join('\n')}\n`)
  await drawUntilLeft(root, use)
}

/** On the terminal's second screen, so that what was there comes back. */
async function drawUntilLeft(root: string, first: PoolUse): Promise<void> {
  const left = new AbortController()
  const { stdin, stdout } = process
  const onKey = (key: Buffer) => {
    if (['q', 'Q', '\u0003', '\u0004', '\u001b'].includes(key.toString())) left.abort()
  }
  stdin.setRawMode(true).on('data', onKey).resume()
  const onSignal = () => left.abort()
  process.once('SIGTERM', onSignal)
  stdout.write('\u001b[?1049h\u001b[?25l')
  try {
    for (let use = first; !left.signal.aborted; use = await labUse(root)) {
      const lines = describeTop(visible(use)).map((line) => line.slice(0, stdout.columns ?? 80))
      stdout.write(`\u001b[H\u001b[J${lines.slice(0, (stdout.rows ?? LINES) - 1).join('\r\n')}`)
      await Promise.race([pause(EVERY_MS, undefined, { signal: left.signal }), once(stdout, 'resize')]).catch(() => {})
    }
  } finally {
    stdout.write('\u001b[?25h\u001b[?1049l')
    stdin.setRawMode(false).off('data', onKey).pause()
    process.off('SIGTERM', onSignal)
  }
}

/** The lines of the screen: hosts, then VMs by the processor time they use. */
export function describeTop({ at, speed, timeOfDay, hosts, vms }: PoolUse): string[] {
  const running = vms.filter(({ host }) => host !== null).length
  const pace = speed === 1 ? '' : `, ${speed} times faster`
  const head = `${at.slice(11, 19)} UTC   the load's day: ${timeOfDay}${pace}   ${vms.length} VMs, ${running} run`
  const busiest = vms.toSorted((one, other) => other.cpu - one.cpu || (one.name < other.name ? -1 : 1))
  return [
    head,
    '',
    ...renderTable(HOST_COLUMNS, hosts.map(describeHost)).split('\n'),
    '',
    ...renderTable(VM_COLUMNS, busiest.map(describeVm)).split('\n'),
  ]
}

const HOST_COLUMNS = ['host', 'state', 'VMs', 'CPU %', 'wanted %', 'cores', 'free MiB', 'MiB', 'tx k/s', 'rx k/s']

function describeHost({
  name,
  live,
  vms,
  cpu,
  wanted,
  cores,
  memoryFreeBytes,
  memoryBytes,
  tx,
  rx,
}: HostUse): string[] {
  return [
    name,
    live ? 'live' : 'gone',
    String(vms),
    percent(cpu / cores),
    percent(wanted / cores),
    String(cores),
    mebibytes(memoryFreeBytes),
    mebibytes(memoryBytes),
    kilobytes(tx),
    kilobytes(rx),
  ]
}

const VM_COLUMNS = [
  'VM',
  'host',
  'state',
  'CPU %',
  'waits %',
  'vCPUs',
  'MiB',
  'tx k/s',
  'rx k/s',
  'read k/s',
  'write k/s',
]

/** As in xentop a processor is 100 %. */
function describeVm({ name, host, state, cpu, wanted, vcpus, memoryBytes, tx, rx, read, write }: VmUse): string[] {
  return [
    name,
    host ?? '-',
    state,
    percent(cpu),
    percent(Math.max(0, wanted - cpu)),
    String(vcpus),
    mebibytes(memoryBytes),
    kilobytes(tx),
    kilobytes(rx),
    kilobytes(read),
    kilobytes(write),
  ]
}

function percent(fraction: number): string {
  return (fraction * 100).toFixed(1)
}

function mebibytes(bytes: number): string {
  return String(Math.round(bytes / 2 ** 20))
}

function kilobytes(bytes: number): string {
  return String(Math.round(bytes / 1000))
}
