/** `wlb cert acme`: orders a certificate from an ACME authority, installs it and proves it with a handshake. */

import { visibleLine } from '../../../base/text/printable.js'
import { quoteFile } from '../../../base/text/quote-word.js'
import { type AcmeSettings, type AppliancePaths, paths, readSettings } from '../../../config/index.js'
import {
  acmeDocument,
  factsInPlace,
  installObtained,
  isRenewalDue,
  keepBindingKey,
  obtainCertificate,
  readBindingKey,
  readDirectoryOf,
  rememberAcme,
} from '../../../identity/index.js'
import { fail } from '../../errors.js'
import { isAtTerminal, promptLine, sayNothingChanged } from '../../terminal/ask.js'
import { printJson, printNote, printText, toType } from '../../terminal/print.js'
import type { AcmeFlags } from '../commands.js'
import { describePools, isSureOfPools, lookAtPools, poolsDocument } from '../pools-first.js'
import { chooseAcme, commandOf } from './choices.js'
import { describeDone, describeObtained, describeOffers, describeWish } from './text.js'

/** @throws ACME_CHOICE_INVALID, ACME_CHOICE_MISSING, ACME_TERMS_NOT_AGREED, POOLS_WOULD_REFUSE, USAGE_NEEDS_YES, and what the order and the installation throw. */
export async function certAcme(root: string, flags: AcmeFlags): Promise<void> {
  const place = paths(root)
  const { hostname, acme: remembered } = await readSettings(place.settings)
  const chosen = chooseAcme(flags, hostname, remembered)
  const show = flags.json ? printNote : printText
  show(`${describeWish(chosen)}\n`)
  const now = new Date()

  const isSameKind = remembered?.directory === chosen.directory && remembered.profile === chosen.profile
  const inPlace = isSameKind ? await factsInPlace(place, chosen, now) : undefined
  if (inPlace && !isRenewalDue({ ...inPlace, failures: undefined }, now)) {
    if (!flags.dryRun) await rememberAcme(place, chosen)
    if (flags.json) printJson({ state: 'already so', acme: chosen })
    else printText('\nSuch a certificate is in place, and its time has not come. Nothing was ordered.\n')
    return
  }

  const offers = await readDirectoryOf(chosen)
  const { terms } = offers
  if (flags.dryRun) {
    show(`\n${describeOffers(offers)}\n`)
    if (flags.json) printJson({ state: 'planned', acme: chosen, terms: terms ?? null })
    return
  }
  const agreed = await agree(chosen, terms, flags)
  if (!agreed) return
  const settings = await keepBinding(place, agreed, flags)

  const stopping = new AbortController()
  process.once('SIGINT', () => stopping.abort()) // first remove the records that were added to the DNS
  const onStep = (step: string) => printNote(`${visibleLine(step)} ...\n`)
  const obtained = await obtainCertificate({ root, settings, now: () => new Date(), onStep, signal: stopping.signal })
  await rememberAcme(place, settings) // whatever is answered: what was issued waits there
  show(`\n${describeObtained(obtained, now)}\n`)
  const { plan } = obtained
  const ahead = await lookAtPools(root, plan.identity.certificatePem)
  const renewal = `wlb trust renew ${quoteFile(plan.sources[0]?.place.file ?? '')} --key ${quoteFile(plan.key.file)}`
  for (const line of describePools(ahead, renewal, root)) show(`${line}\n`)
  const sure = await isSureOfPools(ahead, {
    question: `Install this certificate for ${plan.name}?`,
    command: commandOf(flags),
    renewal,
    root,
    flags,
    afterNo: `the certificate in place is unchanged; what was issued is kept, to be taken up by:  ${toType('wlb cert acme', root)}`,
  })
  if (!sure) return
  const done = await installObtained(root, obtained, settings, { now, onStep })
  if (flags.json) printJson({ ...acmeDocument(settings, obtained, done), ...poolsDocument(ahead) })
  else printText(`${describeDone(root, obtained, done)}\n`)
}

/** The key that was given is copied to where the appliance can read it again. @throws ACME_BINDING_KEY_UNUSABLE */
async function keepBinding(place: AppliancePaths, settings: AcmeSettings, flags: AcmeFlags): Promise<AcmeSettings> {
  if (flags.eabKeyFile === undefined) return settings
  const key = await readBindingKey(flags.eabKeyFile)
  return { ...settings, eabKeyFile: await keepBindingKey(place, settings.directory, key) }
}

/** The terms that were agreed to; undefined when they were declined. */
async function agree(
  chosen: AcmeSettings,
  terms: string | undefined,
  flags: AcmeFlags,
): Promise<AcmeSettings | undefined> {
  if (terms === undefined || chosen.agreedTerms === terms) return chosen
  const agreed = { ...chosen, agreedTerms: terms }
  if (flags.agreeTos) return agreed
  if (!isAtTerminal() || flags.yes) {
    throw fail('ACME_TERMS_NOT_AGREED', { directory: chosen.directory, terms, command: commandOf(flags) })
  }
  const { confirm } = await import('@clack/prompts')
  if ((await confirm({ message: promptLine(`Do you agree to the terms of service at ${terms}?`) })) === true)
    return agreed
  sayNothingChanged()
  return undefined
}
