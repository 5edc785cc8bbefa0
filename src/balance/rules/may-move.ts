/** What may be moved at all: what xapi's `pool_migrate` refuses, and the rest after a move. */
import type { Pool, Vm } from '../document/pool-document.js'
import type { Refusal } from './may-run.js'

/** Says why xapi would not migrate `vm`, or nothing. */
export function mayMigrate(vm: Vm): Refusal | undefined {
  if (vm.state !== 'running') return { code: 'VM_BAD_POWER_STATE', why: `the VM is ${vm.state}, not running` }
  if (vm.immovable !== undefined) return { code: vm.immovable, why: `its migration is refused with ${vm.immovable}` }
  if (vm.needs.includes('usb')) return { code: 'VM_HAS_VUSBS', why: 'a USB device is passed through to it' }
  return undefined
}

/** Says why a plan must not move `vm`, or nothing: after a move a VM rests, whatever the reason for the next one. */
export function mayMove(
  vm: Vm,
  { at, settings: { recentMoveMinutes } }: Pick<Pool, 'at' | 'settings'>,
): Refusal | undefined {
  const refusal = mayMigrate(vm)
  if (refusal) return refusal
  const minutes = minutesSince(vm.lastMovedAt, at)
  if (minutes > recentMoveMinutes) return undefined
  return {
    code: 'RECENTLY_MOVED',
    why: `it moved ${Math.floor(minutes)} minutes ago; a VM rests for ${recentMoveMinutes} minutes`,
  }
}

/** A time in the future is a clock that went back: it was a moment ago, as far as can be said. */
export function minutesSince(then: string | undefined, at: string): number {
  if (then === undefined) return Number.POSITIVE_INFINITY
  return Math.max(0, (Date.parse(at) - Date.parse(then)) / 60_000)
}
