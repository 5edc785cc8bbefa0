/** The rows of the catalogue that lie on the appliance's side, each to be brought about, and all of them put right at once. */
import { besideThisProgram } from '../../launcher.js'
import { clearStandIn, twistStandIn } from '../../stand-in/stage.js'
import type { ApplianceFault } from '../fault.js'
import { changePassword } from './changed-password.js'
import { TWISTS } from './twists.js'

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

export const APPLIANCE_FAULTS: ReadonlyMap<number, ApplianceFault> = applianceFaults(() =>
  besideThisProgram('lab-stand-in.js'),
)

/** Everything as it was before the first of them, however many there were. */
export function clearApplianceFaults(root: string): Promise<void> {
  return clearStandIn(root)
}

/**
 * Nothing wrong: the appliance shows a certificate for its full name, with its address beside it and no short name. That is
 * what rows 8, 10 and 11 need, which change what the pool connects by.
 */
export function showFullName(
  root: string,
  now: Date,
  program = () => besideThisProgram('lab-stand-in.js'),
): Promise<void> {
  return twistStandIn({ root, now, twist: {}, program: program() })
}
