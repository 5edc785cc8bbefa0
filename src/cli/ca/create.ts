/** `wlb ca create`: a root and, unless told otherwise, an intermediate. */
import { type AuthorityReport, createSmallAuthority } from '../../authority/index.js'
import { quoteWord } from '../../base/quote-word.js'
import { daysFrom, printJson, renderFacts } from '../print.js'
import { chooseFolder, isSure, readPassphrase, sayNothingChanged, sayWhatItIs } from './ask.js'
import type { CreateFlags } from './commands.js'

export async function create(root: string, flags: CreateFlags): Promise<void> {
  const folder = chooseFolder(root, flags.dir)
  sayWhatItIs()
  if (!(await isSure(flags.yes, `Make an authority in ${folder}?`, 'wlb ca create'))) return sayNothingChanged()
  const passphrase = await readPassphrase(flags.passphraseFile, 'new', 'wlb ca create')
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
  process.stdout.write(`${describeCreated(report, now)}\n`)
}

export function describeCreated(report: AuthorityReport & { readonly already: boolean }, now: Date): string {
  const { root, intermediate, folder } = report
  return [
    report.already ? 'There is an authority already; it was kept as it is.' : 'Made.',
    '',
    describeAuthority(report, now),
    '',
    intermediate
      ? `The root's key is needed no more for daily work: ${quoteWord(`${folder}/root_ca.key`)} may be kept elsewhere.`
      : 'There is no intermediate: the root signs certificates of servers itself.',
    `On the pool:  xe pool-install-ca-certificate filename=${quoteWord(root.file)}`,
    `Then:         wlb ca sign csr --dir ${quoteWord(folder)}`,
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
