/** Which load a lab's VMs have: what the launcher recorded, with the trace where there is one. */
import { readFile } from 'node:fs/promises'
import type { HostSettings } from '../../host/host-files.js'
import { parseTrace } from '../load/trace.js'
import type { LoadSettings } from './databases.js'

/** The launcher has parsed the trace before: a file that cannot be read now was changed since. */
export async function readLoadSettings({ seed, speed, load, trace }: HostSettings): Promise<LoadSettings> {
  const lines = trace === undefined ? undefined : parseTrace(await readFile(trace, 'utf8'), trace)
  return { seed, speed, kind: load, trace: lines }
}
