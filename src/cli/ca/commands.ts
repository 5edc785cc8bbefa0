/** The commands of `wlb ca`: their words, options and examples. */
import { Option } from '@commander-js/extra-typings'
import { collect, examples, type FlagsOf, integer, type Parent } from '../options.js'

/** As RFC 5280 spells them; a test compares them with the list of the authority. */
export const REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
] as const

export type CreateFlags = FlagsOf<typeof create>
export type SignFlags = FlagsOf<typeof sign>
export type RevokeFlags = FlagsOf<typeof revoke>
export type CrlFlags = FlagsOf<typeof crl>
export type ListFlags = FlagsOf<typeof list>

export function create(ca: Parent) {
  return ca
    .command('create')
    .description('make a root and an intermediate, their keys encrypted; an authority that is there is kept')
    .addOption(dir())
    .option('--name <NAME>', "how its certificates are called: NAME Root CA, NAME Issuing CA (default: 'OpenWLB')")
    .option('--days <N>', 'how long the root is valid (default: 7300)', integer)
    .option('--no-intermediate', 'let the root sign certificates of servers itself')
    .addOption(passphraseFile())
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb ca create', 'wlb ca create --name Example --passphrase-file pw --yes'))
}

export function sign(ca: Parent) {
  return ca
    .command('sign <CSR>')
    .description("sign a server's certificate as the request asks, and say which names were refused (`-` is stdin)")
    .addOption(dir())
    .option('--days <N>', 'how long it is valid (default: 397, at most 824)', integer)
    .option('--allow <NAME>', 'sign only names within this domain, or this address (may be repeated)', collect)
    .option('--out <FILE>', "where the certificate goes (default: signed_cert.pem in the authority's folder)")
    .addOption(passphraseFile())
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb ca sign csr', 'wlb ca sign csr --allow example.com --out signed_cert.pem'))
}

export function revoke(ca: Parent) {
  return ca
    .command('revoke <SERIAL|FILE>')
    .description('put a certificate on the revocation list, for good, and publish the list')
    .addOption(dir())
    .addOption(new Option('--reason <REASON>', 'why').choices(REASONS).default('unspecified'))
    .option('--days <N>', 'how long the list is valid (default: 30)', integer)
    .option('--out <FILE>', "where the list goes (default: crl.pem in the authority's folder)")
    .addOption(passphraseFile())
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb ca revoke signed_cert.pem --reason keyCompromise'))
}

export function crl(ca: Parent) {
  return ca
    .command('crl')
    .description("publish the revocation list of the leafs' issuer, the one that pools look at")
    .addOption(dir())
    .option('--days <N>', 'how long the list is valid (default: 30)', integer)
    .option('--out <FILE>', "where the list goes (default: crl.pem in the authority's folder)")
    .option('--of-root', "the root's list instead, for clients that check the whole chain; it revokes nothing")
    .addOption(passphraseFile())
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb ca crl', 'wlb ca crl --days 90 --out crl.pem'))
}

export function list(ca: Parent) {
  return ca
    .command('list')
    .description('the authority, and every certificate it has issued; with --json the certificates themselves')
    .addOption(dir())
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb ca list'))
}

function dir() {
  return new Option('--dir <DIR>', "the authority's folder (default: var/lib/openwlb/ca below the root)")
}

function passphraseFile() {
  return new Option(
    '--passphrase-file <FILE>',
    "the passphrase of the authority's keys: the first line of FILE (- is stdin)",
  )
}
