/**
 * Unix sockets at paths of any length. The kernel takes 107 bytes of path; a folder opened first and named through
 * `/proc/self/fd` makes every path short. Linux only, as the appliance and the lab are.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** A short name for a socket, usable until `close` is called; keep it open for as long as a server listens there. */
export interface LocalSocketPath {
  readonly path: string
  close(): void
}

const KERNEL_LIMIT_BYTES = 107

/** Throws the lower error (`ENOENT`, `EACCES`) when the socket's folder cannot be opened. */
export function shortenSocketPath(path: string): LocalSocketPath {
  if (Buffer.byteLength(path) <= KERNEL_LIMIT_BYTES) return { path, close: () => {} }
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${folder}/${basename(path)}`, close: () => closeSync(folder) }
}
