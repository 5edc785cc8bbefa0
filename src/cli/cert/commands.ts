/** The commands of `wlb cert`: their words, options and examples. */
import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { collect, dateOrTime, examples, type FlagsOf, integer, type Parent, wlbAddress } from '../options.js'

export type InstallFlags = FlagsOf<typeof install>
export type CheckFlags = FlagsOf<typeof check>
export type RollbackFlags = FlagsOf<typeof rollback>
export type ExportFlags = FlagsOf<typeof exportCertificates>
export type SelfSignedFlags = FlagsOf<typeof selfSigned>
export type RequestFlags = FlagsOf<typeof request>
export type AcmeFlags = FlagsOf<typeof acme>

export function show(cert: Parent) {
  return cert
    .command('show')
    .description('names, dates, fingerprints and chain: on disk, and as served')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert show'))
}

export function install(cert: Parent) {
  return cert
    .command('install <FILE...>')
    .description('put a signed certificate, its issuers and its key in place, whatever order and form they come in')
    .option('--key <FILE>', 'the private key, where it is not the one that was made for the request')
    .option('--passphrase-file <FILE>', 'the passphrase of the key, or of a PKCS#12 file: the first line of FILE')
    .option('--name <FQDN>', 'the name pools connect to, where it is not the configured host name')
    .option('--dry-run', 'print the plan, change nothing')
    .option('--yes', 'do not ask')
    .option('--anyway', 'also where a registered pool would refuse it, which `wlb trust renew` avoids')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb cert install signed_cert.pem intermediate_ca.pem root_ca.pem',
        'wlb cert install chain.p7b root.cer --dry-run',
        'wlb cert install everything.p12 --passphrase-file pass --yes',
      ),
    )
}

export function check(cert: Parent) {
  return cert
    .command('check [FILES...]')
    .description(
      'what a pool would say of certificates: leaf first, then what else is sent (default: the ones served here)',
    )
    .option('--name <NAME>', 'the name pools connect to (default: the host of --connect, or the one of this appliance)')
    .option('--trust <FILES...>', "what hosts trust, as their bundle has it (default: the chain's own root)")
    .option('--crl <FILE>', 'a revocation list that is installed (may be repeated)', collect, [])
    .option('--at <DATE>', 'ask about another time: 2026-03-01, or 2026-03-01T08:00:00Z', dateOrTime)
    .option('--connect <HOST:PORT>', 'ask a server instead of files', wlbAddress)
    .addOption(new Option('--as-pool', 'the rules of a pool (default)').conflicts('asBrowser'))
    .option('--as-browser', 'the rules of a strict client such as a browser (an approximation)')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb cert check',
        'wlb cert check server.pem --name wlb.example.com --trust root.pem',
        'wlb cert check --connect wlb.example.com:8012 --trust root.pem --at 2027-01-01',
      ),
    )
    .addHelpText('after', '\nExit codes: 0 accepted, 1 refused, 2 could not tell.')
}

export function history(cert: Parent) {
  return cert
    .command('history')
    .description('every certificate that was in place here, the newest first')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert history'))
}

export function rollback(cert: Parent) {
  return cert
    .command('rollback [ID]')
    .description('put an earlier certificate and key in place again; without ID the ones replaced last')
    .option('--dry-run', 'print the plan, change nothing')
    .option('--yes', 'do not ask')
    .option('--anyway', 'also where a registered pool would refuse it, which `wlb trust renew` avoids')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert rollback', 'wlb cert rollback 3f9a1c22b0d4 --yes'))
}

export function exportCertificates(cert: Parent) {
  return cert
    .command('export')
    .description('the certificates in place, as they are served, for a pool or a colleague; never a key')
    .option('--leaf', 'the certificate of this appliance alone')
    .option('--chain', 'leaf and intermediates, without the root')
    .option('--root', 'the root alone (a folder other than the usual one: wlb --root DIR cert export)')
    .option('--der', 'DER instead of PEM; one certificate only')
    .option('--out <FILE>', 'write it there instead of standard output')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert export --out wlb.pem', 'wlb cert export --root --der --out root_ca.cer'))
}

export function selfSigned(cert: Parent) {
  return cert
    .command('self-signed')
    .description('replace the certificate by a new self-signed one: another name, key or lifetime')
    .option('--hostname <FQDN>', 'the name in it (default: the configured host name)')
    .option('--days <N>', 'how long it is valid (default: 3650)', integer)
    .addOption(
      new Option('--key-bits <N>', 'the size of the RSA key (default: 2048)').choices(['2048', '3072', '4096']),
    )
    .option('--dry-run', 'print the plan, change nothing')
    .option('--yes', 'do not ask')
    .option('--anyway', 'also where a registered pool would refuse it, which `wlb trust renew` avoids')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert self-signed', 'wlb cert self-signed --hostname wlb2.example.com --yes'))
}

export function request(cert: Parent) {
  return cert
    .command('request')
    .description('make a key and a certificate request for an authority; the certificate in service is not touched')
    .option('--country <CC>', 'two letters: CA for Canada, JM for Jamaica')
    .option('--state <NAME>', 'state or province, in full')
    .option('--locality <NAME>', 'city')
    .option('--organization <NAME>', 'company or organization')
    .option('--organizational-unit <NAME>', 'department; may be left out')
    .option('--common-name <FQDN>', 'the name pools connect to (default: the host name of the appliance)')
    .option('--email <ADDRESS>', 'goes into the certificate')
    .option('--san <NAME|IP>', 'a further name or IP address the certificate shall carry (may be repeated)', collect)
    .option('--key <FILE>', 'use this RSA key, encrypted or not, instead of making one')
    .option('--passphrase-file <FILE>', 'the passphrase of --key: the first line of FILE')
    .option('--key-bits <N>', 'size of the key that is made: 2048, 3072 or 4096 (default: 2048)', keyBits)
    .option('--new-key', 'make a new key even if one is waiting; that one is kept')
    .option('--challenge-password-file <FILE>', 'a challenge password for the authority: the first line of FILE')
    .option('--company-name <NAME>', 'the optional company name')
    .option('--out <FILE>', 'where the request is written; - is standard output', 'csr')
    .option('--force', 'a common name that is not the host name is meant')
    .option('--yes', 'ask nothing')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb cert request',
        "wlb cert request --country CA --state Alberta --locality Calgary --organization 'Example Inc.' \\\n    --email admin@example.com --yes",
        'wlb cert request --key privatekey.pem --passphrase-file pass ...',
      ),
    )
}

export function acme(cert: Parent) {
  return cert
    .command('acme')
    .description('get a certificate from an ACME authority and put it in place; wlb serve renews it from then on')
    .option('--directory <URL>', 'where the authority describes itself (default: the one of last time)')
    .option('--email <ADDRESS>', 'where the authority writes to (default: the one of last time)')
    .option('--name <FQDN>', 'a name in the certificate (may be repeated; default: the host name)', collect)
    .option('--http-address <IP>', 'where to answer the authority by HTTP (default: 0.0.0.0)')
    .option('--http-port <N>', 'the port there, to which port 80 of every name must lead (default: 80)', integer)
    .option('--dns-hook <PROGRAM>', 'prove the names by DNS instead: PROGRAM add|remove NAME VALUE changes it')
    .option('--directory-ca <FILE>', 'what the directory’s own HTTPS is verified with, in PEM')
    .option('--profile <NAME>', 'which of the authority’s kinds of certificate (--dry-run lists them)')
    .option('--eab-kid <KID>', 'who the authority knows you as, where it gives accounts only to those it knows')
    .option('--eab-key-file <FILE>', 'the key it gave out with that, in base64url')
    .option('--agree-tos', 'agree to the authority’s terms of service')
    .option('--dry-run', 'read the directory, print the plan, order nothing')
    .option('--yes', 'do not ask')
    .option('--anyway', 'also where a registered pool would refuse it, which `wlb trust renew` avoids')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb cert acme --directory https://acme.example.com/directory --email admin@example.com',
        'wlb cert acme --directory https://acme.example.com/directory --email admin@example.com \\\n    --dns-hook /usr/local/sbin/change-dns --agree-tos --yes',
        'wlb cert acme --dry-run',
      ),
    )
}

function keyBits(text: string): number {
  if (!['2048', '3072', '4096'].includes(text)) throw new InvalidArgumentError('It must be 2048, 3072 or 4096.')
  return Number(text)
}
