/** How a user proves over SSH who he is: a key from a file, an agent, a password. */
import type { AnyAuthMethod, ParsedKey } from 'ssh2'
import { WlbError } from '../base/error.js'
import { readLimitedFile } from '../base/limited-file.js'
import { quoteWord } from '../base/quote-word.js'

export type Credential =
  | { readonly kind: 'key'; readonly file: string; readonly passphrase?: string }
  /** The agent's socket. */
  | { readonly kind: 'agent'; readonly socket: string }
  | { readonly kind: 'password'; readonly password: string }

/** Said in errors, in place of the secret itself. */
export function describeCredential(credential: Credential): string {
  switch (credential.kind) {
    case 'key':
      return `key ${credential.file}`
    case 'agent':
      return 'agent'
    case 'password':
      return 'password'
  }
}

/**
 * The methods in the library's form. A password is also the answer where a server asks for it in its own words.
 *
 * @throws SSH_KEY_UNREADABLE, SSH_KEY_PASSPHRASE_NEEDED, SSH_KEY_PASSPHRASE_WRONG, and what `readLimitedFile` throws.
 */
export async function listMethods(username: string, credentials: readonly Credential[]): Promise<AnyAuthMethod[]> {
  const methods: AnyAuthMethod[] = []
  for (const credential of credentials) {
    switch (credential.kind) {
      case 'key':
        methods.push({ type: 'publickey', username, key: await openKey(credential.file, credential.passphrase) })
        break
      case 'agent':
        methods.push({ type: 'agent', username, agent: credential.socket })
        break
      case 'password': {
        const { password } = credential
        methods.push({ type: 'password', username, password })
        methods.push({
          type: 'keyboard-interactive',
          username,
          // one hidden question is the one for the password; what else is asked we do not know
          prompt: (_name, _instructions, _language, prompts, finish) =>
            finish(prompts.length === 1 && prompts[0]?.echo === false ? [password] : prompts.map(() => '')),
        })
        break
      }
    }
  }
  return methods
}

/** Finds out whether they can be used at all, before many hosts are tried with them. @throws as `listMethods` does. */
export async function checkCredentials(credentials: readonly Credential[]): Promise<void> {
  await listMethods('', credentials)
}

async function openKey(file: string, passphrase: string | undefined): Promise<ParsedKey> {
  const bytes = await readLimitedFile(file)
  const { default: ssh2 } = await import('ssh2')
  const parsed: ParsedKey | Error | (ParsedKey | Error)[] = ssh2.utils.parseKey(bytes, passphrase)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key !== undefined && !(key instanceof Error) && key.isPrivateKey()) return key
  const why = key instanceof Error ? key.message : 'it holds no private key'
  if (/no passphrase/.test(why)) throw passphraseNeeded(file)
  if (passphrase !== undefined && /integrity check|bad passphrase|bad decrypt|Unable to decrypt/i.test(why)) {
    throw passphraseWrong(file)
  }
  throw keyUnreadable(file, why)
}

function passphraseNeeded(file: string): WlbError {
  return new WlbError(
    'SSH_KEY_PASSPHRASE_NEEDED',
    'The key for SSH is encrypted, and no passphrase was given.',
    { file, missing: '--ssh-passphrase-file' },
    'wlb trust fetch root@wlb.example.com --ssh-key FILE --ssh-passphrase-file FILE',
  )
}

function passphraseWrong(file: string): WlbError {
  return new WlbError(
    'SSH_KEY_PASSPHRASE_WRONG',
    'The passphrase does not open the key for SSH.',
    { file },
    `ssh-keygen -y -f ${quoteWord(file)}`,
  )
}

function keyUnreadable(file: string, why: string): WlbError {
  return new WlbError(
    'SSH_KEY_UNREADABLE',
    'The file is no private key in a form that SSH has.',
    { file, why },
    `ssh-keygen -p -f ${quoteWord(file)}`,
  )
}
