/** `wlb cert request`: a key and a certificate request, from questions as openssl asks them, or from options. */

import { resolve } from 'node:path'
import { isStandardOutput } from '../../base/files/output-file.js'
import { visible, visibleLine } from '../../base/text/printable.js'
import { type RequestReport, requestCertificate, suggestCommonName } from '../../identity/index.js'
import { fail } from '../errors.js'
import { isAtTerminal, isSure, readSecretFile, sayNothingChanged } from '../terminal/ask.js'
import { printJson, printNote, printText, renderFacts, toType } from '../terminal/print.js'
import type { RequestFlags } from './commands.js'
import { type Answers, askForRequest } from './request-questions.js'

/**
 * @throws USAGE_NEEDS_ANSWERS, USAGE_NEEDS_YES when an answer is missing and there is no terminal.
 * @throws USAGE_KEY_FLAGS when `--key` and a flag for a new key are given together.
 * @throws PASSWORD_FILE_UNREADABLE, and everything the request itself throws.
 */
export async function certRequest(root: string, flags: RequestFlags): Promise<void> {
  checkKeyFlags(flags)
  const hostname = await suggestCommonName(root)
  const answers = await complete(flags, hostname)
  if (answers === 'declined') return
  if (!answers) return sayNothingChanged()
  const toStdout = await isStandardOutput(flags.out)
  const report = await requestCertificate({
    root,
    subject: answers.subject,
    alternativeNames: flags.san ?? [],
    key: {
      given:
        flags.key === undefined
          ? undefined
          : { file: flags.key, passphrase: await readSecretFile(flags.passphraseFile) },
      bits: flags.keyBits,
      isNew: flags.newKey ?? false,
    },
    challengePassword: answers.challengePassword ?? (await readSecretFile(flags.challengePasswordFile)),
    companyName: answers.companyName ?? flags.companyName,
    force: flags.force ?? false,
    out: toStdout ? undefined : resolve(flags.out),
  })
  for (const warning of report.warnings) printNote(`warning: ${visibleLine(warning)}\n`)
  if (flags.json) printJson(report)
  else if (toStdout) {
    printText(report.requestPem)
    printNote(`${describe(visible(report), root)}\n`)
  } else printText(`${report.requestPem}\n${describe(visible(report), root)}\n`)
}

const REQUIRED = ['country', 'state', 'locality', 'organization', 'email'] as const

/** Asks at a terminal, and otherwise takes the options or refuses the call: it never waits for an answer. */
async function complete(flags: RequestFlags, hostname: string): Promise<Answers | 'declined' | undefined> {
  if (!flags.yes && isAtTerminal()) return askForRequest(flags, hostname)
  const missing = REQUIRED.find((field) => flags[field] === undefined)
  if (missing !== undefined) throw fail('USAGE_NEEDS_ANSWERS', { missing: `--${missing}`, command: `${EXAMPLE} --yes` })
  if (!(await isSure(`Make the request and write it to ${flags.out}?`, { command: EXAMPLE, yes: flags.yes })))
    return 'declined'
  const { country = '', state = '', locality = '', organization = '', email = '' } = flags
  const { organizationalUnit, commonName } = flags
  return { subject: { country, state, locality, organization, organizationalUnit, commonName, email } }
}

function checkKeyFlags({ key, keyBits, newKey, passphraseFile }: RequestFlags): void {
  if (key !== undefined && (keyBits !== undefined || newKey))
    throw fail('USAGE_KEY_FLAGS', { conflict: newKey ? '--new-key' : '--key-bits' })
  if (key === undefined && passphraseFile !== undefined)
    throw fail('USAGE_KEY_FLAGS', { conflict: '--passphrase-file without --key' })
}

/** Subject, names and key of the request; the last line says what to do next. */
export function describe(report: RequestReport, root: string): string {
  const { subject, dnsNames, ipAddresses, key, file, pools } = report
  const unit = subject.organizationalUnit ? `, OU=${subject.organizationalUnit}` : ''
  const facts: [string, string][] = [
    [
      'subject',
      `C=${subject.country}, ST=${subject.state}, L=${subject.locality}, O=${subject.organization}${unit}, CN=${subject.commonName}, emailAddress=${subject.email}`,
    ],
    ['names', [...dnsNames, ...ipAddresses].join(', ')],
    ['key', `RSA ${key.bits}, ${KEY_ORIGINS[key.origin]}: ${key.file}`],
    ...(key.previous ? [['key before', `kept: ${key.previous}`] satisfies [string, string]] : []),
    ...(file
      ? [['request', `${file.outcome === 'kept' ? 'already so' : 'written'}: ${file.path}`] satisfies [string, string]]
      : []),
    ...(file?.previous ? [['request before', `kept: ${file.previous}`] satisfies [string, string]] : []),
    ['pools', describePools(pools)],
  ]
  const files = 'signed_cert.pem intermediate_ca.pem root_ca.pem'
  const isInUse = pools !== null && pools.registered > 0
  const next = isInUse ? `wlb trust renew ${files} --pool https://COORDINATOR` : `wlb cert install ${files}`
  return [
    renderFacts(facts),
    '',
    'The key stays on this machine, and the certificate in service is unchanged.',
    `Next: give the whole request, first and last line included, to your authority; then  ${toType(next, root)}`,
    ...(isInUse ? ['(not wlb cert install: the registered pools would refuse it until they trust its root)'] : []),
  ].join('\n')
}

const KEY_ORIGINS = {
  created: 'made now, waits here for its certificate',
  waiting: 'the one that waits here for its certificate',
  given: 'the one given, waits here without a passphrase',
}

function describePools(pools: RequestReport['pools']): string {
  if (!pools) return 'what they connect to is not known while the appliance is stopped'
  const { registered, addressesUsed } = pools
  const used = addressesUsed.length === 0 ? 'none has asked since the start' : `connect to ${addressesUsed.join(', ')}`
  return registered === 0 ? 'none is registered' : `${registered} registered; ${used}`
}

const EXAMPLE =
  "wlb cert request --country CA --state Alberta --locality Calgary --organization 'Example Inc.' --email admin@example.com"
