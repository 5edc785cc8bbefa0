/** The account at an ACME authority (RFC 8555, 7.3): made, found again, bound to somebody the authority knows, or made anew. */
import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/files/limited-file.js'
import type { AcmeSettings, AppliancePaths } from '../../config/index.js'
import { fail } from '../errors.js'
import { type AcmeFiles, readAccountKey, retireAccountKey } from './acme-files.js'
import type { AccountBinding, Authority } from './authority.js'

/**
 * Makes the account, or finds that it is there.
 *
 * @throws ACME_TERMS_NOT_AGREED, ACME_ACCOUNT_REFUSED, ACME_ACCOUNT_DEACTIVATED, ACME_BINDING_REQUIRED, ACME_RATE_LIMITED.
 */
export async function openAccount(
  { directory, offers: { terms }, ask }: Authority,
  { agreedTerms, email, eabKid }: AcmeSettings,
): Promise<void> {
  if (terms !== undefined && agreedTerms !== terms) {
    throw fail('ACME_TERMS_NOT_AGREED', { directory, terms, agreedBefore: agreedTerms })
  }
  const wish = {
    termsOfServiceAgreed: terms === undefined ? undefined : true,
    contact: [`mailto:${email}`],
  }
  const { status } = await ask('the account', (client) => client.createAccount(wish)).catch((error: unknown) => {
    throw eabKid === undefined ? error : nameBinding(error, directory, eabKid)
  })
  if (status === 'deactivated') {
    throw fail('ACME_ACCOUNT_DEACTIVATED', { directory, authoritySays: 'the account has the status "deactivated"' })
  }
}

/** A refusal may be about the binding, and its words need not say so. */
function nameBinding(error: unknown, directory: string, eabKid: string): unknown {
  if (!(error instanceof WlbError) || error.code !== 'ACME_ACCOUNT_REFUSED') return error
  const { type = '', authoritySays = '' } = error.facts
  return fail('ACME_ACCOUNT_REFUSED', { directory, type, authoritySays, eabKid }, error)
}

/**
 * Runs `work` with the key of the account. Where the authority has deactivated that account, its key is put aside and `work`
 * runs once more, with a new one: RFC 8555, 7.3.6, knows no way back.
 */
export async function withAccountKey<T>(
  place: AppliancePaths,
  files: AcmeFiles,
  onDeactivated: () => void,
  work: (accountKey: string) => Promise<T>,
): Promise<T> {
  try {
    return await work(await readAccountKey(place, files))
  } catch (error) {
    if (!(error instanceof WlbError) || error.code !== 'ACME_ACCOUNT_DEACTIVATED') throw error
  }
  onDeactivated()
  await retireAccountKey(files)
  return work(await readAccountKey(place, files))
}

/**
 * The key that the authority gave out, as it prints it: base64url, perhaps in several lines.
 *
 * @throws ACME_BINDING_KEY_UNUSABLE, and what reading the file throws.
 */
export async function readBinding({ eabKid, eabKeyFile }: AcmeSettings): Promise<AccountBinding | undefined> {
  if (eabKid === undefined || eabKeyFile === undefined) return undefined
  return { kid: eabKid, hmacKey: await readBindingKey(eabKeyFile) }
}

/** @throws ACME_BINDING_KEY_UNUSABLE, and what reading the file throws. */
export async function readBindingKey(file: string): Promise<string> {
  const text = (await readLimitedFile(file)).toString('utf8').replace(/\s+/g, '')
  if (text.startsWith('--') || !/^[A-Za-z0-9+/_-]{16,}={0,2}$/.test(text))
    throw fail('ACME_BINDING_KEY_UNUSABLE', { file })
  return text
}
