/** A PostgreSQL server of the tests' own, from Debian's programs, on a Unix socket in a temporary folder. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

export interface PostgresServer {
  /** A new, empty database on it. */
  createDatabase(name: string, encoding?: string): string
  stop(): Promise<void>
}

export async function startPostgres(program: string): Promise<PostgresServer> {
  const bin = dirname(program)
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-postgres-'))
  chmodSync(folder, 0o777) // the server runs as another user
  const inFolder = { cwd: folder, stdio: 'pipe' } as const
  const asUser = (command: string, ...args: string[]): [string, string[]] =>
    process.getuid?.() === 0
      ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', command, ...args]]
      : [command, args]

  execFileSync(
    ...asUser(`${bin}/initdb`, '-D', `${folder}/data`, '-U', 'wlb', '--auth=trust', '-E', 'UTF8', '--no-sync'),
    inFolder,
  )
  const listening = ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${folder}`]
  const server = spawn(...asUser(program, '-D', `${folder}/data`, ...listening), inFolder)
  await ready(server)

  return {
    createDatabase: (name, encoding = 'UTF8') => {
      const options = ['-h', folder, '-U', 'wlb', '-E', encoding, '-T', 'template0', '--locale=C', name]
      execFileSync(`${bin}/createdb`, options, inFolder)
      return `postgres://wlb@localhost/${name}?host=${encodeURIComponent(folder)}`
    },
    stop: async () => {
      server.kill('SIGINT')
      await once(server, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function ready(server: ChildProcess): Promise<void> {
  const said: string[] = []
  for await (const line of createInterface({ input: server.stderr! })) {
    said.push(line)
    if (line.includes('ready to accept connections')) {
      server.stderr!.resume()
      return
    }
  }
  throw new Error(`PostgreSQL did not start:\n${said.join('\n')}`)
}
