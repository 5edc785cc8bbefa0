/** Which load a lab's VMs have: what the launcher recorded, with the trace where there is one. */
import { readFile } from 'node:fs/promises'
import type { LabHost } from '../../host/host.js'
import { parseTrace } from '../load/trace.js'
import type { LoadSettings } from './databases.js'

/** The launcher has parsed the trace before: a file that cannot be read now was changed since. */
export async function readLoadSettings({ settings, layout }: LabHost): Promise<LoadSettings> {
  const { seed, speed, load, trace } = settings
  const lines = trace ? parseTrace(await readFile(layout.trace, 'utf8'), layout.trace) : undefined
  return { seed, speed, kind: load, trace: lines }
}
