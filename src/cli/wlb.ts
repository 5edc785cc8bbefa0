/** The program `wlb`. It loads only what a call needs: a shell runs `__complete` at every Tab. */

// `wlb status | head -1` closes the pipe early, and a terminal can be closed: neither stops the command.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const [first, ...rest] = process.argv.slice(2)
if (first === '__complete') await (await import('./completion/complete.js')).complete(rest)
else await (await import('./run.js')).run(process.argv.slice(2))
