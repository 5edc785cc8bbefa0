/** A page for support: one file, nothing loaded from elsewhere, no password, session or user name in it. */
import { replaceFile } from '../../base/durable-file.js'
import type { Diagnosis, Evidence, Finding } from '../../trust/index.js'
import { describeScene } from './diagnosis-text.js'
import { STYLE } from './page-style.js'

const MODE = 0o644

export async function writePage(path: string, evidence: Evidence, diagnosis: Diagnosis): Promise<void> {
  await replaceFile(path, renderPage(evidence, diagnosis), MODE)
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
    '<h2>Not seen</h2><ul>',
    ...notSeen.map((sentence) => `<li>${clean(sentence)}</li>`),
    '</ul></main></body></html>',
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

/** Escapes, and takes out what is nobody's business: session references and the names given. */
function cleaner(secrets: readonly string[]): Clean {
  const names = secrets.filter((secret) => secret.length > 2)
  return (text) => {
    const bare = names.reduce((left, name) => left.replaceAll(name, '[left out]'), text)
    return bare
      .replaceAll(/OpaqueRef:[0-9A-Za-z-]+/g, '[left out]')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  }
}
