/** The program `wlb`. What a call does not need is not loaded: a shell waits for `__complete` at every Tab. */

// A reader that has seen enough (`wlb status | head -1`), or a terminal that is gone, is no reason to break off.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const [first, ...rest] = process.argv.slice(2)
if (first === '__complete') await (await import('./completion/complete.js')).complete(rest)
else await (await import('./run.js')).run(process.argv.slice(2))
