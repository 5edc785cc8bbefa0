/** Certificates and revocation lists of the pool (docs/trust-stores.md). */
import { type Command, commandTable, type Invocation } from './command.js'
import { findValue, isSet, Refusal, refusal, requireValue } from './command-line.js'
import type { Conversation } from './conversation.js'
import { findPool } from './records.js'

const PURPOSES: readonly string[] = ['licensing', 'ldaps']

export const CERTIFICATE_COMMANDS: readonly Command[] = commandTable([
  [
    'pool-certificate-install',
    'filename',
    '',
    'Makes every host of the pool trust the certificate in a local file. See pool-install-ca-certificate.',
    ['deprecated'],
    installAuthority,
  ],
  [
    'pool-install-ca-certificate',
    'filename',
    '',
    'Makes every host of the pool trust the certificate in a local file, under the name of that file.',
    [],
    installAuthority,
  ],
  [
    'pool-certificate-uninstall',
    'name',
    '',
    'Takes a trusted certificate away from every host of the pool. See pool-uninstall-ca-certificate.',
    ['deprecated'],
    uninstallAuthority,
  ],
  [
    'pool-uninstall-ca-certificate',
    'name',
    'force',
    'Takes a trusted certificate away from every host of the pool. With --force its record goes even if its file is gone.',
    [],
    uninstallAuthority,
  ],
  [
    'pool-certificate-list',
    '',
    '',
    'Shows the names of the trusted certificates. See certificate-list type=ca.',
    ['deprecated'],
    listNames('pool.certificate_list'),
  ],
  ['pool-crl-install', 'filename', '', 'Gives every host of the pool a certificate revocation list.', [], installCrl],
  [
    'pool-crl-uninstall',
    'name',
    '',
    'Takes a certificate revocation list away from every host of the pool.',
    [],
    async ({ parameters, rpc }) => {
      await rpc('pool.crl_uninstall', requireValue(parameters, 'name'))
    },
  ],
  ['pool-crl-list', '', '', 'Shows the names of the certificate revocation lists.', [], listNames('pool.crl_list')],
  [
    'pool-certificate-sync',
    '',
    '',
    'Copies certificates and revocation lists from the coordinator to every other host of the pool.',
    [],
    async ({ rpc }) => {
      await rpc('pool.certificate_sync')
    },
  ],
  [
    'pool-install-trusted-certificate',
    'filename ca',
    'uuid purpose',
    'Makes the pool trust a certificate for the purposes given: an authority (ca=true) or a single server (ca=false).',
    [],
    installTrusted,
  ],
  [
    'pool-uninstall-trusted-certificate',
    'certificate-uuid',
    'uuid',
    'Takes back what pool-install-trusted-certificate did.',
    [],
    async ({ parameters, rpc }) => {
      const pool = await findPool(findValue(parameters, 'uuid'), rpc)
      const certificate = await rpc('Certificate.get_by_uuid', requireValue(parameters, 'certificate-uuid'))
      await rpc('pool.uninstall_trusted_certificate', pool, certificate)
    },
  ],
])

async function installAuthority({ parameters, rpc, conversation }: Invocation): Promise<void> {
  const file = requireValue(parameters, 'filename')
  const certificate = await loadOrRefuse(conversation, file, 'certificate')
  await rpc('pool.install_ca_certificate', baseName(file), certificate)
}

async function uninstallAuthority({ parameters, rpc }: Invocation): Promise<void> {
  const name = requireValue(parameters, 'name')
  await rpc('pool.uninstall_ca_certificate', name, isSet(parameters, 'force'))
}

async function installCrl({ parameters, rpc, conversation }: Invocation): Promise<void> {
  const file = requireValue(parameters, 'filename')
  const crl = await loadOrRefuse(conversation, file, 'CRL')
  await rpc('pool.crl_install', baseName(file), crl)
}

async function installTrusted({ parameters, rpc, conversation }: Invocation): Promise<void> {
  const file = requireValue(parameters, 'filename')
  const isAuthority = isSet(parameters, 'ca')
  const pool = await findPool(findValue(parameters, 'uuid'), rpc)
  const purposes = (findValue(parameters, 'purpose') ?? '').split(',').filter((purpose) => purpose !== '')
  const unknown = purposes.find((purpose) => !PURPOSES.includes(purpose))
  if (unknown !== undefined) throw refusal(`Unknown certificate purpose '${unknown}': expected licensing or ldaps`)
  const certificate = await loadOrRefuse(conversation, file, 'certificate')
  await rpc('pool.install_trusted_certificate', pool, isAuthority, certificate, purposes)
}

function listNames(method: string): Command['run'] {
  return async ({ rpc, printer }) => {
    const names = await rpc(method)
    await printer.list(Array.isArray(names) ? names.map(String) : [])
  }
}

/** Fetches a local file of the client's. When it cannot be opened, says what it was and ends the command. */
export async function loadOrRefuse(conversation: Conversation, file: string, what: string): Promise<string> {
  const text = await conversation.load(file)
  if (text !== undefined) return text
  await conversation.printError(`Failed to read ${what}`)
  throw new Refusal({ kind: 'exit', status: 1 })
}

/** The last part of a path as POSIX has it; the server knows one separator, whatever the client's system uses. */
export function baseName(path: string): string {
  if (path === '') return '.'
  const trimmed = path.replace(/\/+$/, '')
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1)
}
