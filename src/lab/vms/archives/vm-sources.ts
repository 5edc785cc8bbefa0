/** What a host publishes of each VM on it, and of its control domain, which is a VM too (rrdp_cpu.ml, rrdp_squeezed.ml, rrdp_netdev.ml). */
import type { Use } from '../load/pool-load.js'
import { diskSources } from './disk-sources.js'
import { amount, fraction, gauge, inOrder, rate, type ValuedSource } from './round-robin.js'

export interface MeasuredVm {
  readonly uuid: string
  readonly vcpus: number
  /** The balloon driver's target, which the guest has reached. */
  readonly memoryBytes: number
  /** What Xen needs for it besides. */
  readonly overheadBytes: number
  /** Only a guest with tools reports its free memory. */
  readonly reportsFreeMemory: boolean
  /** The part of its memory that it touches. */
  readonly touchedMemory: number
  /** Device numbers. */
  readonly vifs: readonly string[]
  readonly disks: readonly { readonly device: string; readonly sr: string }[]
}

export function vmSources(vm: MeasuredVm): ValuedSource<Use>[] {
  const { vcpus } = vm
  const busy = ({ usedCores }: Use) => usedCores / vcpus
  const waiting = ({ wantedCores, usedCores }: Use) => Math.max(0, wantedCores - usedCores) / vcpus
  const cpus = Array.from({ length: vcpus }, (_, number) => rate(`cpu${number}`, (use: Use) => fraction(busy(use)), 1))
  return inOrder([
    ...cpus,
    rate('cpu_usage', (use: Use) => fraction(busy(use)), 1),
    ...runStates(vcpus).map(({ name, ofBusy, ofWaiting, ofRest }) => {
      const value = (use: Use) => {
        const rest = 1 - busy(use) - waiting(use)
        return fraction(ofBusy * busy(use) + ofWaiting * waiting(use) + ofRest * rest)
      }
      return rate(name, value, 1)
    }),
    ...memorySources(vm),
    ...vm.vifs.flatMap((device) => [
      rate(`vif_${device}_rx`, ({ rx }: Use) => amount(rx / vm.vifs.length)),
      rate(`vif_${device}_tx`, ({ tx }: Use) => amount(tx / vm.vifs.length)),
    ]),
    ...vm.disks.flatMap(({ device }) =>
      diskSources(
        (what) => `vbd_${device}_${what}`,
        ({ read, write }: Use) => ({ read: read / vm.disks.length, write: write / vm.disks.length }),
      ),
    ),
  ])
}

function memorySources({ memoryBytes, reportsFreeMemory, touchedMemory, vcpus }: MeasuredVm) {
  const known = [gauge('memory', () => memoryBytes), gauge('memory_target', () => memoryBytes)]
  if (!reportsFreeMemory) return known
  const freeKib = ({ usedCores }: Use) => (memoryBytes / 1024) * (1 - touchedMemory * (0.7 + (0.3 * usedCores) / vcpus))
  return [...known, gauge('memory_internal_free', (use: Use) => amount(freeKib(use)))]
}

/**
 * In which states the vCPUs are together. Parts of the time they are busy, waiting and idle; of one vCPU there is no
 * "partial". All six add up to 1.
 */
function runStates(vcpus: number) {
  const whole = vcpus === 1 ? 1 : 0.4
  return [
    { name: 'runstate_fullrun', ofBusy: whole, ofWaiting: 0, ofRest: 0 },
    { name: 'runstate_full_contention', ofBusy: 0, ofWaiting: whole, ofRest: 0 },
    { name: 'runstate_concurrency_hazard', ofBusy: 0, ofWaiting: (1 - whole) / 2, ofRest: 0 },
    { name: 'runstate_blocked', ofBusy: 0, ofWaiting: 0, ofRest: 1 },
    { name: 'runstate_partial_run', ofBusy: 1 - whole, ofWaiting: 0, ofRest: 0 },
    { name: 'runstate_partial_contention', ofBusy: 0, ofWaiting: (1 - whole) / 2, ofRest: 0 },
  ]
}
