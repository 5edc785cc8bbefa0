/** How the page for support looks; readable on paper, in the dark, and without colours. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8884; --bad: #b3261e; --warn: #9a6700; --fine: #1a7f37 }
body { margin: 0; font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif }
header { padding: 1.5rem max(1rem, calc(50vw - 30rem)); color: #fff; background: var(--bad) }
header.fine { background: var(--fine) }
header h1, header p { margin: 0 }
main { max-width: 60rem; margin: 0 auto; padding: 1rem }
h2 { margin-top: 2rem; font-size: 1.15rem }
h3 { margin: 0; font-size: 1rem; font-weight: 600 }
article { margin: 1rem 0; padding: .75rem 1rem; border: 1px solid var(--line); border-left: .4rem solid var(--bad); border-radius: .4rem }
article.warning { border-left-color: var(--warn) }
article.note { border-left-color: #888 }
article p { margin: .4rem 0 }
.seen { opacity: .75; font-size: .9rem; overflow-wrap: anywhere }
pre { overflow-x: auto; padding: .6rem .8rem; border-radius: .3rem; background: #8881; font: 13px/1.5 "DejaVu Sans Mono", monospace; white-space: pre-wrap }
table { width: 100%; border-collapse: collapse; font-size: .9rem }
th, td { padding: .35rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: break-word }
td:last-child { overflow-wrap: anywhere }
@media print { header { color: #000; background: none } }
`
