/** `wlb ca list`: the authority, and what it has issued. */
import { type AuthorityReport, type IssuedCertificate, reportAuthority } from '../../authority/index.js'
import { printJson, renderTable } from '../print.js'
import { chooseFolder, sayWhatItIs } from './ask.js'
import type { ListFlags } from './commands.js'
import { describeAuthority } from './create.js'

export async function list(root: string, { dir, json }: ListFlags): Promise<void> {
  sayWhatItIs()
  const now = new Date()
  const report = await reportAuthority(chooseFolder(root, dir))
  const issued = report.issued.map((one) => ({ ...one, state: stateOf(one, now) }))
  if (json) return printJson({ ...report, issued })
  process.stdout.write(`${describeList(report, now)}\n`)
}

export function describeList(report: AuthorityReport, now: Date): string {
  const rows = report.issued.map((one) => [
    one.serialNumber,
    one.revoked ? `revoked (${one.revoked.reason})` : stateOf(one, now),
    one.notAfter.slice(0, 10),
    one.names.join(' '),
  ])
  return [
    describeAuthority(report, now),
    '',
    rows.length === 0 ? 'Nothing has been issued.' : renderTable(['serial', 'state', 'until', 'names'], rows),
  ].join('\n')
}

function stateOf({ revoked, notAfter }: IssuedCertificate, now: Date): 'revoked' | 'expired' | 'valid' {
  if (revoked) return 'revoked'
  return new Date(notAfter) < now ? 'expired' : 'valid'
}
