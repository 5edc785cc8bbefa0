/** Rows that are brought about on the appliance. */
import type { ApplianceFault } from '../fault.js'

export const APPLIANCE_FAULTS: ReadonlyMap<number, ApplianceFault> = new Map()

/** Takes back whatever was injected. */
export async function clearApplianceFaults(_root: string): Promise<void> {}
