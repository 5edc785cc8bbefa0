/** The program `wlb`. It loads only what a call needs: a shell runs `__complete` at every Tab. */

// `wlb status | head -1` closes the pipe early, and a terminal can be closed: neither stops the command.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const [first, ...rest] = process.argv.slice(2)
load().catch(sayWhyNot)

async function load(): Promise<void> {
  if (first === '__complete') await (await import('./completion/complete.js')).complete(rest)
  else if (first === 'cert' && rest[0] === 'check') {
    const { checkLine, run } = await import('./cert/check-line.js')
    await run([first, ...rest], checkLine())
  } else {
    const { commandLine, run } = await import('./command-line.js')
    const argv = process.argv.slice(2)
    await run(argv, commandLine(argv))
  }
}

/** The program could not be loaded, and with it what prints errors. Nothing is imported above, or this could not be said. */
function sayWhyNot(error: unknown): void {
  const why = error instanceof Error ? error.message : String(error)
  const shown = /^E[MN]FILE/.test(why)
    ? {
        code: 'TOO_MANY_OPEN_FILES',
        message: 'This process may not open as many files at once as it needs.',
        facts: { systemError: why.slice(0, 6) },
        remedy: 'ulimit -n 1024',
      }
    : { code: 'INTERNAL_ERROR', message: `The program cannot be loaded: ${why}`, facts: {}, remedy: 'node --version' }
  const { code, message, facts, remedy } = shown
  const lines = Object.entries(facts).map(([name, value]) => `  ${name}: ${value}\n`)
  process.stderr.write(`wlb: ${message} [${code}]\n${lines.join('')}  try: ${remedy}\n`)
  if (rest.includes('--json')) process.stdout.write(`${JSON.stringify({ error: shown }, undefined, 2)}\n`)
  process.exitCode = 1
}
