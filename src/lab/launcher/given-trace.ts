/** A trace that somebody names for a new lab: a file, compressed or not, or a folder with a file for each virtual machine. */
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readLimitedFile } from '../../base/files/limited-file.js'
import { fail } from '../errors.js'
import { parseTrace } from '../vms/load/trace.js'

const LIMIT_BYTES = 32 * 1024 * 1024
/** As many as a pool may have VMs. */
const MOST_FILES = 5_000

/**
 * Reads a trace and returns it as text with a line for each virtual machine.
 *
 * @throws LAB_TRACE_UNREADABLE, or what `readLimitedFile` throws.
 */
export async function readGivenTrace(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false, // reading it says why
  )
  const text = isFolder ? await joinFolder(path) : await readText(path)
  parseTrace(text, path)
  return text
}

/** As the traces are published: each file has a number a line. */
async function joinFolder(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort().slice(0, MOST_FILES)
  const lines: string[] = []
  for (const name of names) {
    const values = (await readText(join(folder, name))).split('\n').map((line) => line.trim())
    lines.push([basename(name).replaceAll(',', '_'), ...values.filter((value) => value !== '')].join(','))
  }
  return lines.join('\n')
}

async function readText(file: string): Promise<string> {
  const bytes = await readLimitedFile(file, LIMIT_BYTES)
  if (!(bytes[0] === 0x1f && bytes[1] === 0x8b)) return bytes.toString('utf8')
  try {
    return gunzipSync(bytes, { maxOutputLength: LIMIT_BYTES }).toString('utf8')
  } catch (error) {
    const reason = 'its compression is damaged, or it is too long'
    throw fail('LAB_TRACE_UNREADABLE', { file, line: 1, reason }, error)
  }
}
