/** `wlb lab vms` and `wlb lab load`: what the machines of a lab use, and demands that are pinned. */
import { visible } from '../../base/text/printable.js'
import { labLoad, labUse, type VmUse } from '../../lab/index.js'
import { printJson, printText, renderTable, toType } from '../terminal/print.js'
import type { LoadFlags } from './commands.js'

export async function vms(root: string, json = false): Promise<void> {
  const use = await labUse(root)
  if (json) {
    return printJson(
      use.vms.map(({ uuid, name, host, state, vcpus, memoryBytes, cpu }) => {
        return { uuid, name, host, state, vcpus, memoryBytes, cpu }
      }),
    )
  }
  const rows = visible(use.vms).map(describeVm)
  printText(`${renderTable(['name', 'host', 'state', 'vCPUs', 'memory MiB', 'cores used', 'uuid'], rows)}\n`)
}

function describeVm({ name, host, state, vcpus, memoryBytes, cpu, uuid }: VmUse): string[] {
  const memory = Math.round(memoryBytes / 2 ** 20)
  return [name, host ?? '-', state, String(vcpus), String(memory), cpu.toFixed(2), uuid]
}

export async function load(root: string, target: string, flags: LoadFlags): Promise<void> {
  const pinned = await labLoad({ root, target, cpu: flags.cpu, minutes: flags.for })
  if (flags.json) return printJson(pinned)
  const { name, kind, cpu, minutes } = visible(pinned)
  const whose = kind === 'host' ? `The control domain of ${name}` : name
  printText(
    `${whose} demands ${cpu} ${cpu === 1 ? 'processor' : 'processors'}${minutes === null ? '' : ` for ${minutes} minutes`}.\n` +
      `watch it: ${toType('wlb lab top', root)}\n`,
  )
}
