/** `wlb ca create` and `wlb ca list`: the authority (a root and, by default, an intermediate), and what it has issued. */

import {
  type AuthorityReport,
  authorityDocument,
  createSmallAuthority,
  reportAuthority,
  stateOf,
} from '../../authority/index.js'
import { visible, visibleLine } from '../../base/text/printable.js'
import { quoteWord, shell } from '../../base/text/quote-word.js'
import { isSure, sayNothingChanged } from '../terminal/ask.js'
import { daysFrom, printJson, printText, renderFacts, renderTable, toType } from '../terminal/print.js'
import type { CreateFlags, ListFlags } from './commands.js'
import { chooseFolder, readPassphrase, sayWhatItIs } from './inputs.js'

export async function create(root: string, flags: CreateFlags): Promise<void> {
  const folder = chooseFolder(root, flags.dir)
  sayWhatItIs()
  const command = 'wlb ca create --passphrase-file FILE'
  if (!(await isSure(`Make an authority in ${folder}?`, { command, yes: flags.yes, isFinal: true }))) return
  const passphrase = await readPassphrase(flags.passphraseFile, 'new', command)
  if (passphrase === undefined) return sayNothingChanged()
  const now = new Date()
  const report = await createSmallAuthority({
    folder,
    name: flags.name,
    lifetimeDays: flags.days,
    withIntermediate: flags.intermediate,
    passphrase,
    now,
  })
  if (flags.json) return printJson(report)
  printText(`${describeCreated(visible(report), now)}\n`)
}

export function describeCreated(report: AuthorityReport & { readonly already: boolean }, now: Date): string {
  const { root, intermediate, folder } = report
  return [
    report.already ? 'There is an authority already; it was kept as it is.' : 'Made.',
    '',
    describeAuthority(report, now),
    '',
    intermediate
      ? `The root's key is needed no more for daily work: ${visibleLine(quoteWord(`${folder}/root_ca.key`))} may be kept elsewhere.`
      : 'There is no intermediate: the root signs certificates of servers itself.',
    `On the pool:  ${toType(shell`xe pool-install-ca-certificate filename=${root.file}`)}`,
    `Then:         ${toType(shell`wlb ca sign csr --dir ${folder}`)}`,
  ].join('\n')
}

export function describeAuthority({ name, root, intermediate, folder }: AuthorityReport, now: Date): string {
  const until = (date: Date) => `until ${date.toISOString()} (${daysFrom(now, date)})`
  return renderFacts([
    ['name', name],
    ['folder', folder],
    ['root', `${root.subject}, ${until(root.notAfter)}`],
    ['root file', root.file],
    ['root SHA-256', root.fingerprintSha256],
    ...(intermediate
      ? ([
          ['intermediate', `${intermediate.subject}, ${until(intermediate.notAfter)}`],
          ['intermediate file', intermediate.file],
        ] as const)
      : []),
  ])
}

export async function list(root: string, { dir, json }: ListFlags): Promise<void> {
  sayWhatItIs()
  const now = new Date()
  const report = await reportAuthority(chooseFolder(root, dir))
  if (json) return printJson(authorityDocument(report, now))
  printText(`${describeList(visible(report), now)}\n`)
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
