/** Real programs the tests run against: found, or the tests that need them are skipped by name (with CI=true they fail). */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

export type Part =
  | 'stunnel'
  | 'openssl'
  | 'pebble'
  | 'postgres'
  | 'strace'
  | 'faketime'
  | 'sshd'
  | 'ssh'
  | 'zsh'
  | 'script'
  | 'fish'
  | 'rrdtool'

/** The program's path; undefined where it is missing and the tests may be skipped. */
export function requirePart(part: Part): string | undefined {
  const found = part === 'postgres' ? findPostgres() : (onPath(part) ?? onPath(`/usr/sbin/${part}`))
  if (!found && process.env.CI === 'true')
    throw new Error(`${part} is not installed, and with CI=true nothing is skipped`)
  return found
}

/** What this machine does not permit: skipped with the reason, and with CI=true a failure like a part that is missing. */
export function skipHere(context: { skip(reason: string): void }, why: string): void {
  if (process.env.CI === 'true') throw new Error(`${why}, and with CI=true nothing is skipped`)
  context.skip(why)
}

function onPath(program: string): string | undefined {
  const { status, stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** Debian keeps the server's programs, a folder a version, off the path. */
function findPostgres(): string | undefined {
  const base = '/usr/lib/postgresql'
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : []
  return versions.map((version) => `${base}/${version}/bin/postgres`).find((path) => existsSync(path))
}
