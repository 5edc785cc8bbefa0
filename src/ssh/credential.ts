/** How a user authenticates over SSH: with a key from a file, an agent, or a password. */
import type { AnyAuthMethod, ParsedKey } from 'ssh2'
import { WlbError } from '../base/error.js'
import { readLimitedFile } from '../base/files/limited-file.js'
import { fail } from './errors.js'
import { openPkcs8 } from './pkcs8-key.js'

export type Credential =
  | { readonly kind: 'key'; readonly file: string; readonly passphrase?: string | undefined }
  /** One of the user's keys that cannot be used, since it has a passphrase; it is named where nothing else has helped. */
  | { readonly kind: 'locked key'; readonly file: string }
  /** The agent's socket. */
  | { readonly kind: 'agent'; readonly socket: string }
  | { readonly kind: 'password'; readonly password: string }

/** Names a credential in errors, without its secret. */
export function describeCredential(credential: Credential): string {
  switch (credential.kind) {
    case 'key':
      return `key ${credential.file}`
    case 'locked key':
      return `not key ${credential.file}, which has a passphrase (--ssh-key, --ssh-passphrase-file)`
    case 'agent':
      return 'agent'
    case 'password':
      return 'password'
  }
}

/**
 * The methods in the library's form. A password also answers a server that asks for it by keyboard-interactive.
 *
 * @throws SSH_KEY_UNREADABLE, SSH_KEY_OF_PUTTY, SSH_KEY_PASSPHRASE_NEEDED, SSH_KEY_PASSPHRASE_WRONG, and what `readLimitedFile` throws.
 */
export async function listMethods(username: string, credentials: readonly Credential[]): Promise<AnyAuthMethod[]> {
  const methods: AnyAuthMethod[] = []
  for (const credential of credentials) {
    switch (credential.kind) {
      case 'key':
        methods.push({ type: 'publickey', username, key: await openKey(credential.file, credential.passphrase) })
        break
      case 'locked key':
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
          // a single hidden prompt asks for the password; other prompts cannot be answered
          prompt: (_name, _instructions, _language, prompts, finish) =>
            finish(prompts.length === 1 && prompts[0]?.echo === false ? [password] : prompts.map(() => '')),
        })
        break
      }
    }
  }
  return methods
}

/** Checks that they can be used, before many hosts are tried with them. @throws as `listMethods` does. */
export async function checkCredentials(credentials: readonly Credential[]): Promise<void> {
  await listMethods('', credentials)
}

/** Of the keys that a user has by their SSH settings, those that are there and can be read; none of them has to be. */
export async function readUsualKeys(files: readonly string[]): Promise<Credential[]> {
  const keys: Credential[] = []
  for (const file of files) {
    try {
      await openKey(file, undefined)
      keys.push({ kind: 'key', file })
    } catch (error) {
      if (!(error instanceof WlbError)) throw error
      if (error.code === 'SSH_KEY_PASSPHRASE_NEEDED') keys.push({ kind: 'locked key', file })
    }
  }
  return keys
}

/** PuTTY's newer form; the older one, 2, is read. */
const PPK = 'PuTTY-User-Key-File-3:'

async function openKey(file: string, passphrase: string | undefined): Promise<ParsedKey> {
  const bytes = await readLimitedFile(file)
  if (bytes.subarray(0, PPK.length).toString('latin1') === PPK) throw fail('SSH_KEY_OF_PUTTY', { file })
  const pkcs8 = openPkcs8(bytes, passphrase)
  switch (pkcs8?.state) {
    case 'passphrase needed':
      throw fail('SSH_KEY_PASSPHRASE_NEEDED', { file, missing: '--ssh-passphrase-file' })
    case 'passphrase wrong':
      throw fail('SSH_KEY_PASSPHRASE_WRONG', { file })
    case 'unreadable':
      throw fail('SSH_KEY_UNREADABLE', { file, why: pkcs8.why })
  }
  const { default: ssh2 } = await import('ssh2')
  const parsed: ParsedKey | Error | (ParsedKey | Error)[] = ssh2.utils.parseKey(pkcs8?.pem ?? bytes, passphrase)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key !== undefined && !(key instanceof Error) && key.isPrivateKey()) return key
  const why = key instanceof Error ? key.message : 'it holds no private key'
  if (/no passphrase/.test(why)) {
    throw fail('SSH_KEY_PASSPHRASE_NEEDED', { file, missing: '--ssh-passphrase-file' })
  }
  if (passphrase !== undefined && /integrity check|bad passphrase|bad decrypt|Unable to decrypt/i.test(why)) {
    throw fail('SSH_KEY_PASSPHRASE_WRONG', { file })
  }
  throw fail('SSH_KEY_UNREADABLE', { file, why })
}
