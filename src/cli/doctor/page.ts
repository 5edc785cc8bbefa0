/** A page for support: one file, nothing loaded from elsewhere, no password, session or user name in it. */
import { writeOutput } from '../../base/files/output-file.js'
import { escapeHtml } from '../../base/text/html.js'
import type { Diagnosis, Evidence, Finding } from '../../trust/index.js'
import { describeScene } from './diagnosis-text.js'

const MODE = 0o644

export async function writePage(path: string, evidence: Evidence, diagnosis: Diagnosis): Promise<void> {
  await writeOutput(path, renderPage(evidence, diagnosis), MODE)
}

export function renderPage(evidence: Evidence, diagnosis: Diagnosis): string {
  const { healthy, blame, predicted, findings, notSeen } = diagnosis
  const { pool, observedAt } = evidence
  const clean = cleaner([pool?.wlbUserName ?? ''])
  const title = healthy ? 'Healthy' : `${predicted.length === 0 ? 'It works; to be mended' : 'It fails by'}: ${blame}`
  const say = predicted.length === 0 ? 'nothing: it works' : JSON.stringify(predicted)
  return `${[
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>wlb doctor: ${clean(pool?.name ?? 'appliance')}</title><style>${STYLE}</style></head><body>`,
    `<header class="${healthy ? 'fine' : 'bad'}"><h1>${clean(title)}</h1>`,
    `<p>wlb doctor, ${observedAt.toISOString()}</p></header><main>`,
    `<pre>${clean(describeScene(evidence).join('\n'))}</pre>`,
    `<p>The pool says: <code>${clean(say)}</code></p>`,
    ...(findings.length > 0 ? [`<h2>Findings, the one to mend first in front</h2>`] : []),
    ...findings.map((finding, index) => renderFinding(finding, index + 1, clean)),
    ...renderHosts(evidence, clean),
    ...renderInstalled(evidence, clean),
    ...(notSeen.length > 0
      ? ['<h2>Not seen</h2><ul>', ...notSeen.map((sentence) => `<li>${clean(sentence)}</li>`)]
      : []),
    `${notSeen.length > 0 ? '</ul>' : ''}</main></body></html>`,
  ].join('\n')}\n`
}

type Clean = (text: string) => string

function renderFinding({ row, code, severity, host, cause, evidence, remedy }: Finding, index: number, clean: Clean) {
  const where = host === '' ? '' : ` on ${clean(host)}`
  return [
    `<article class="${severity}"><h3>${index}. <b>${severity.toUpperCase()}</b> ${row > 0 ? `row ${row} ` : ''}${clean(code)}${where}</h3>`,
    `<p>${clean(cause)}</p><p class="seen">${clean(evidence)}</p>`,
    ...(remedy === '' ? [] : [`<pre class="try">${clean(remedy)}</pre>`]),
    '</article>',
  ].join('\n')
}

function renderHosts({ pool, hosts, proofs }: Evidence, clean: Clean): string[] {
  if (!pool) return []
  const rows = hosts.map(({ name, role, live, softwareVersion }, index) => {
    const proof = proofs[index]
    const said =
      proof?.kind === 'refused' ? proof.error.join(': ') : proof?.kind === 'accepted' ? 'connected' : (proof?.why ?? '')
    const version = softwareVersion.xapi_build ?? softwareVersion.xapi ?? ''
    return `<tr>${[name, live ? role : `${role}, down`, version, said].map((text) => `<td>${clean(text)}</td>`).join('')}</tr>`
  })
  return [
    '<h2>Hosts</h2><table><tr><th>host</th><th>role</th><th>xapi</th><th>said when it connected itself</th></tr>',
    ...rows,
    '</table>',
  ]
}

function renderInstalled({ installed }: Evidence, clean: Clean): string[] {
  if (installed.length === 0) return []
  const rows = installed.map(({ name, notAfter, fingerprintSha256 }) => {
    const cells = [name, notAfter?.toISOString() ?? '', fingerprintSha256]
    return `<tr>${cells.map((text) => `<td>${clean(text)}</td>`).join('')}</tr>`
  })
  return [
    '<h2>Installed certificates</h2><table><tr><th>name</th><th>not after</th><th>SHA-256</th></tr>',
    ...rows,
    '</table>',
  ]
}

/** Escapes HTML, and removes session references and the given names. */
function cleaner(secrets: readonly string[]): Clean {
  const names = secrets.filter((secret) => secret.length > 2)
  return (text) => {
    const bare = names.reduce((left, name) => left.replaceAll(name, '[left out]'), text)
    return escapeHtml(bare.replaceAll(/OpaqueRef:[0-9A-Za-z-]+/g, '[left out]'))
  }
}

/** Readable on paper, in the dark, and without colours. */
const STYLE = `
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
