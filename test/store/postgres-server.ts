/** A PostgreSQL server of the tests' own, from Debian's programs, on a Unix socket in a temporary folder. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

export interface PostgresServer {
  /** A new, empty database on it. */
  createDatabase(name: string, options?: { encoding?: string; tablespace?: string }): string
  /** Runs a statement as the server's owner, in the database `postgres`. */
  run(statement: string): string
  /** A folder of the server's user becomes a place for tables. */
  createTablespace(name: string, folder: string): void
  /** From now on connections need a password, or do not. */
  requirePassword(isRequired: boolean): void
  /** To every process of it. */
  signal(signal: NodeJS.Signals): void
  /** `SIGINT`: connections are ended; `SIGKILL`: all processes are gone at once. Nothing happens to one that does not run. */
  end(signal?: 'SIGINT' | 'SIGKILL'): Promise<void>
  /** After `end`. */
  start(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

export async function startPostgres(program: string, settings: readonly string[] = []): Promise<PostgresServer> {
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
  const listening = ['listen_addresses=', `unix_socket_directories=${folder}`, ...settings]
  const args = ['-D', `${folder}/data`, ...listening.flatMap((setting) => ['-c', setting])]
  const start = async () => {
    const started = spawn(...asUser(program, ...args), { ...inFolder, detached: true })
    await ready(started)
    return started
  }
  let server = await start()
  const isRunning = () => server.exitCode === null && server.signalCode === null
  const run = (statement: string) =>
    execFileSync(
      `${bin}/psql`,
      ['-h', folder, '-U', 'wlb', '-d', 'postgres', '-AtXq', '-c', statement],
      inFolder,
    ).toString()
  const end = async (signal: 'SIGINT' | 'SIGKILL' = 'SIGINT') => {
    if (!isRunning()) return
    if (signal === 'SIGINT') server.kill(signal)
    else for (const pid of processesOf(server)) process.kill(pid, signal)
    await once(server, 'exit')
  }

  return {
    createDatabase: (name, { encoding = 'UTF8', tablespace = 'pg_default' } = {}) => {
      const options = [
        '-h',
        folder,
        '-U',
        'wlb',
        '-E',
        encoding,
        '-D',
        tablespace,
        '-T',
        'template0',
        '--locale=C',
        name,
      ]
      execFileSync(`${bin}/createdb`, options, inFolder)
      return `postgres://wlb@localhost/${name}?host=${encodeURIComponent(folder)}`
    },
    run,
    createTablespace: (name, place) => {
      if (process.getuid?.() === 0) execFileSync('chown', ['postgres', place])
      run(`create tablespace ${name} location '${place}'`)
    },
    requirePassword: (isRequired) => {
      const rules = ['local postgres wlb trust', `local all all ${isRequired ? 'scram-sha-256' : 'trust'}`]
      writeFileSync(join(folder, 'data/pg_hba.conf'), `${rules.join('\n')}\n`)
      run('select pg_reload_conf()')
    },
    signal: (signal) => {
      for (const pid of processesOf(server)) process.kill(pid, signal)
    },
    end,
    start: async () => {
      server = await start()
    },
    stop: async () => {
      await end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Itself first: stopped or killed, it starts no more of them. */
function processesOf({ pid = 0 }: ChildProcess): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return [pid, ...children.split(' ').filter(Boolean).map(Number)]
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
