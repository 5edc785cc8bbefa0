/** A clock that is wrong for one program: libfaketime, which Debian packs as `faketime`. */
import { existsSync } from 'node:fs'
import { fail } from './errors.js'

const PLACES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((triple) => `/usr/lib/${triple}/faketime/libfaketime.so.1`)
/** Shorter than this, it is our own time on the way. */
const SAME_TIME_MS = 1_000

/**
 * The environment in which a program takes it for `now`; empty where that is the system's time.
 *
 * @throws FAKETIME_NOT_FOUND when the library is not installed.
 */
export function environmentAt(now: Date | undefined): Readonly<Record<string, string>> {
  const offsetMs = now ? now.getTime() - Date.now() : 0
  if (Math.abs(offsetMs) < SAME_TIME_MS) return {}
  const library = PLACES.find((place) => existsSync(place))
  if (!library) throw fail('FAKETIME_NOT_FOUND', { lookedAt: PLACES.join(' ') })
  const seconds = Math.round(offsetMs / 1000)
  return { LD_PRELOAD: library, FAKETIME: `${seconds < 0 ? '' : '+'}${seconds}s` }
}
