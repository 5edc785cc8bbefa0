/** `wlb ca sign`: signs a request, and names every requested name that was left out, with the reason. */

import { authorityFolder, planSignature, type Signed, signedDocument, signRequest } from '../../authority/index.js'
import { visible } from '../../base/text/printable.js'
import { quoteFile, shell } from '../../base/text/quote-word.js'
import { describeCertificate, type LeafPlan, renderNameFields } from '../../x509/index.js'
import { fail } from '../errors.js'
import { isSure, sayNothingChanged } from '../terminal/ask.js'
import { daysFrom, printJson, printNote, renderFacts, toType } from '../terminal/print.js'
import type { SignFlags } from './commands.js'
import { chooseFolder, chooseOutput, readBytes, readPassphrase, sayWhatItIs } from './inputs.js'

/** @throws USAGE_STDIN_TWICE, and the codes of requests and authorities that cannot be used. */
export async function sign(root: string, csr: string, flags: SignFlags): Promise<void> {
  const folder = chooseFolder(root, flags.dir)
  if (csr === '-' && flags.passphraseFile === '-') throw fail('USAGE_STDIN_TWICE', { csr: '-', passphraseFile: '-' })
  const { file, say } = await chooseOutput(flags.out, flags.json)
  sayWhatItIs()
  const now = new Date()
  const options = {
    folder,
    request: await readBytes(csr, 'certificate signing request'),
    allow: flags.allow ?? [],
    lifetimeDays: flags.days,
    now,
  }
  const plan = await planSignature(options)
  printNote(`${describePlan(visible(plan))}\n`)
  const command = `wlb ca sign ${quoteFile(csr)} --passphrase-file FILE`
  if (!(await isSure('Sign this?', { command, yes: flags.yes, isFinal: true }))) return
  const passphrase = await readPassphrase(flags.passphraseFile, 'known', command)
  if (passphrase === undefined) return sayNothingChanged()

  const signed = await signRequest({ ...options, passphrase, out: file })
  if (flags.json) return printJson(signedDocument(folder, signed))
  say.write(`${describeSigned(folder, signed, now)}\n`)
}

/** What would be signed, and what would not be taken over. */
export function describePlan({ request, names, shortened, ignoredExtensions, notAfter }: LeafPlan): string {
  return [
    `asks:     ${renderNameFields(request.subject) || 'no subject'}`,
    `names:    ${[...names.dnsNames, ...names.ipAddresses].join(', ')}`,
    ...names.addedFromCommonName.map((name) => `added:    ${name}, because it is the common name`),
    ...names.refused.map(({ name, why }) => `refused:  ${name} ${why}`),
    ...ignoredExtensions.map((name) => `left out: ${name}, which is for the authority to decide`),
    ...(shortened ? [`shorter:  the authority's own certificate ends ${notAfter.toISOString()}`] : []),
    ...(names.dnsNames.length === 0 ? ['beware:   pools compare host names only and never look at addresses'] : []),
  ].join('\n')
}

export function describeSigned(folder: string, { issued, plan, file }: Signed, now: Date): string {
  const end = new Date(issued.notAfter)
  const words = chainFiles(folder, file, plan).map(quoteFile).join(' ')
  return [
    'Signed.',
    '',
    renderFacts([
      ['subject', issued.subject],
      ['names', issued.names.join(', ')],
      ...plan.names.refused.map(({ name, why }) => ['refused', `${name} ${why}`] as const),
      ['issuer', describeCertificate(plan.issuer).subject],
      ['valid from', issued.notBefore],
      ['valid until', `${issued.notAfter} (${daysFrom(now, end)})`],
      ['serial', issued.serialNumber],
      ['file', file],
    ]),
    '',
    `The appliance:  ${toType(`wlb cert install ${words}`)}`,
    `or, by hand:    ${toType(`cat ${words} > server.pem`)}`,
    `The pool:       ${toType(shell`xe pool-install-ca-certificate filename=${authorityFolder(folder).rootCertificate}`)}`,
  ].join('\n')
}

/** In the order the procedure merges them. */
function chainFiles(folder: string, file: string, plan: LeafPlan): string[] {
  const { rootCertificate, intermediateCertificate } = authorityFolder(folder)
  return describeCertificate(plan.issuer).selfSigned
    ? [file, rootCertificate]
    : [file, intermediateCertificate, rootCertificate]
}
