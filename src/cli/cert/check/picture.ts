/** Text of a verdict: the path as a tree from the root down, with each defect below its certificate. */
import type { X509Certificate } from 'node:crypto'
import type { CheckFinding, CheckQuestion, Judgement } from '../../../tls/index.js'
import { describeCertificate } from '../../../x509/index.js'
import { daysFrom, renderFacts } from '../../terminal/print.js'

export function describeJudgement(judgement: Judgement, question: CheckQuestion): string {
  const { defects, path, warnings } = judgement
  const general = defects.filter(({ certificate }) => certificate === undefined)
  const parts = [
    headline(judgement, question),
    renderFacts(listFacts(judgement, question)),
    general.flatMap((defect) => describeFinding(defect)).join('\n'),
    drawPath(judgement, question.now),
    warnings.length === 0 ? '' : ['Warnings:', ...warnings.flatMap(describeWarning)].join('\n'),
    path.length === 0 && general.length === 0 ? 'No certificate was seen.' : '',
    renderFacts(listConsequences(judgement)),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function headline({ accepted, as }: Judgement, { name }: CheckQuestion): string {
  const client = as === 'pool' ? 'A pool' : 'A strict client, such as a browser (an approximation),'
  return `${accepted ? 'ACCEPTED' : 'REFUSED'}: ${client} that connects to ${name} ${accepted ? 'verifies this' : 'does not go on'}.`
}

function listFacts({ as }: Judgement, { trust, crls, now, facts, endpoint }: CheckQuestion): [string, string][] {
  const handshake = facts?.state === 'agreed' ? `TLS 1.2, ${facts.cipher}, ${facts.curve}` : ''
  const asked = facts?.state === 'agreed' ? facts.clientCertificate : ''
  return [
    ...(endpoint ? [['endpoint', `${endpoint.host} port ${endpoint.port}`] as [string, string]] : []),
    ...(handshake ? [['handshake', handshake] as [string, string]] : []),
    ...(asked === 'asked' ? [['client certificate', 'asked for, and not needed'] as [string, string]] : []),
    ['trusted', trust],
    ['revocation lists', as === 'browser' ? 'not asked about' : crls ? `${crls.length} given` : 'none installed'],
    ['asked for', now.toISOString()],
  ]
}

/** The root on top, each certificate below the one that issued it. */
function drawPath({ path, fromServer, defects }: Judgement, now: Date): string {
  return [...path.entries()]
    .reverse()
    .flatMap(([depth, certificate], row) => {
      const indent = row === 0 ? '' : `${'   '.repeat(row - 1)}└─ `
      const below = `${'   '.repeat(row)}${depth === 0 ? '   ' : '│  '}`
      const found = defects.filter((defect) => defect.certificate && defect.depth === depth).flatMap(describeFinding)
      return [
        `${indent}${describeCertificate(certificate).subject || '(no name)'}`,
        ...[describeOne(certificate, depth < fromServer, now), ...found].map((line) => `${below}${line}`),
      ]
    })
    .join('\n')
}

function describeOne(certificate: X509Certificate, isSent: boolean, now: Date): string {
  const { notBefore, notAfter, key } = describeCertificate(certificate)
  const day = (date: Date) => (Number.isNaN(date.getTime()) ? '?' : date.toISOString().slice(0, 10))
  const until = Number.isNaN(notAfter.getTime()) ? '?' : `${day(notAfter)} (${daysFrom(now, notAfter)})`
  const where = isSent ? 'from the server' : 'installed'
  return `${where}, ${key.type.toUpperCase()} ${key.bits}, ${day(notBefore)} to ${until}`
}

function describeFinding({ code, opensslNumber, message, remedy }: CheckFinding): string[] {
  const number = opensslNumber === undefined ? '' : `, OpenSSL ${opensslNumber}`
  return [`! ${message} [${code}${number}]`, `  try: ${remedy}`]
}

function describeWarning({ code, message, remedy }: Judgement['warnings'][number]): string[] {
  return [`- ${message} [${code}]`, `  try: ${remedy}`]
}

/** What the pool would log, and the error it would return. The most useful line comes last. */
function listConsequences({ as, accepted, reason, xapiError, defects, warnings }: Judgement): [string, string][] {
  const [first] = defects
  if (accepted)
    return [['next', warnings.length === 0 ? 'nothing to mend' : 'nothing has to be mended; see the warnings']]
  const [code = '', ...parameters] = xapiError
  const told = `${code}${parameters.length === 0 ? '' : ` [${parameters.join(', ')}]`}`
  return [
    ...(as === 'pool'
      ? [['stunnel logs', reason] as [string, string], ['the pool says', told] as [string, string]]
      : []),
    ['try', first?.remedy ?? ''],
  ]
}
