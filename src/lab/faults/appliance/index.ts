/** The rows of the catalogue that lie on the appliance's side, each to be brought about, and all of them put right at once. */
import { besideThisProgram } from '../../launcher/launcher.js'
import { clearStandIn, twistStandIn } from '../../stand-in/stage.js'
import type { ApplianceFault, FaultStage } from '../fault.js'
import { changePassword } from './changed-password.js'
import { SERVED_FOR, TWISTS } from './twists.js'

/** `program` tells where the stand-in's own program is, asked when it is needed. */
export function applianceFaults(program: () => string): ReadonlyMap<number, ApplianceFault> {
  const faults: ApplianceFault[] = [
    ...[...TWISTS].map(
      ([row, twist]): ApplianceFault => ({
        row,
        inject: ({ root, now }) => twistStandIn({ root, now, twist, program: program() }),
      }),
    ),
    { row: 75, inject: changePassword },
  ]
  return new Map(faults.sort((one, other) => one.row - other.row).map((fault) => [fault.row, fault]))
}

export const APPLIANCE_FAULTS: ReadonlyMap<number, ApplianceFault> = applianceFaults(standInProgram)

/** Beside the programs that are shipped. */
export function standInProgram(): string {
  return besideThisProgram('lab-stand-in.js')
}

/**
 * Nothing wrong: the appliance shows a certificate of an authority that the pool trusts, for its full name, with its address
 * beside it and no short name, in the place of one that a row of the pool's side has no use for.
 */
export function serveFromAuthority({ root, now }: FaultStage, row: number, program: string): Promise<void> {
  return twistStandIn({ root, now, twist: SERVED_FOR.get(row) ?? {}, program })
}

/** Everything as it was before the first of them, however many there were. */
export function clearApplianceFaults(root: string): Promise<void> {
  return clearStandIn(root)
}
