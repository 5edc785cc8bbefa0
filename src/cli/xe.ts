/**
 * The program `xe`: the client for commands that run on a pool. It starts in under 100 ms: a call loads only what it
 * needs, and this file only reads the settings, holds the conversation and exits.
 */
import { resolve } from 'node:path'
import {
  parsePasswordFile,
  permittedFiles,
  readSettings,
  type Settings,
  USAGE_TEXT,
  VERSION_TEXT,
} from './xe/settings.js'
import { readShortFile } from './xe/short-file.js'
import { textFor } from './xe/terminal-text.js'

const FAILED = 1

process.title = 'xe' // hides the arguments, which may hold a password, from process lists

// `xe ... | head` closes the pipe early: nothing is said of that.
process.stdout.on('error', (error) => {
  if (!('code' in error) || error.code !== 'EPIPE')
    process.stderr.write(`xe: cannot write to standard output: ${error.message}\n`)
  process.exit(FAILED)
})
process.stderr.on('error', () => {})

const { env } = process
const reading = readSettings({
  args: process.argv.slice(2),
  extraArgs: env.XE_EXTRA_ARGS,
  rcText: env.HOME === undefined ? undefined : readShortFile(`${env.HOME}/.xe`),
  traceparent: env.TRACEPARENT,
})

switch (reading.kind) {
  case 'version':
    process.stdout.write(VERSION_TEXT)
    break
  case 'usage':
    process.stderr.write(reading.complaint === undefined ? USAGE_TEXT : `${reading.complaint}\n${USAGE_TEXT}`)
    break
  case 'refused':
    process.stderr.write(`Unhandled exception\n${reading.complaint}\n`)
    process.exitCode = FAILED
    break
  case 'run': {
    for (const warning of reading.warnings) process.stderr.write(`${warning}\n`)
    const settings = withPasswordFile(reading.settings)
    if (settings) leave(await run(settings))
    else process.exitCode = FAILED
  }
}

function say(text: string): void {
  process.stderr.write(textFor(process.stderr, text))
}

async function run(settings: Settings): Promise<number> {
  const traced: string[] = []
  const trace = (text: string) => {
    if (settings.debug) say(`${text}\n`)
    else if (settings.debugOnFail) traced.push(text)
  }
  const status = await converse(settings, trace)
  if (status !== 0 && traced.length > 0) say(`Debug info:\n${traced.join('\n')}\n`)
  return status
}

async function converse(settings: Settings, trace: (text: string) => void): Promise<number> {
  const [{ createConnector }, { runThinCliClient }, { openTerminal }] = await Promise.all([
    import('./xe/connect.js'),
    import('../xapi/thin-cli/client.js'),
    import('./xe/terminal.js'),
  ])
  const terminal = openTerminal(trace)
  const connector = createConnector(settings, {
    hostRoot: env.XE_ROOT ?? '',
    warn: say,
    trace,
  })
  try {
    const stream = await connector.connect()
    const { traceparent } = settings
    const credentials = [`username=${settings.userName}`, `password=${settings.password}`]
    return await runThinCliClient({
      stream,
      request: { args: [...settings.args, ...credentials], traceparent, baggage: env.BAGGAGE },
      permittedFiles: permittedFiles(settings.args, (path) => resolve(path)),
      terminal,
      connectAside: (target) => connector.connectAside(target),
      now: () => performance.now(),
    })
  } catch (error) {
    const { describeFailure } = await import('./xe/failures.js')
    const { lines, withUsage } = describeFailure(error, settings.server)
    say(`${lines.join('\n')}\n${withUsage ? USAGE_TEXT : ''}`)
    return FAILED
  }
}

/** Undefined when the file cannot be used; the reason has been printed. */
function withPasswordFile(settings: Settings): Settings | undefined {
  if (settings.passwordFile === undefined) return settings
  const text = readShortFile(settings.passwordFile)
  if (text === undefined) {
    process.stderr.write(`Error opening password file '${settings.passwordFile}'\n`)
    return undefined
  }
  const credentials = parsePasswordFile(text)
  if (credentials) return { ...settings, ...credentials }
  process.stderr.write(
    'Error: password file format: expecting username on the first line, password on the second line\n',
  )
  return undefined
}

/** Exits as soon as all output is written, even if sockets are still open. */
function leave(status: number): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(status)))
}
