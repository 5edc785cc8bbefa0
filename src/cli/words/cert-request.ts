/** The words of `wlb cert request`. */
import { type Command, InvalidArgumentError } from 'commander'
import { collect, examples } from './word.js'

export function addCertRequest(cert: Command, root: () => string): void {
  cert
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
    .action(async (options) => (await import('../cert/request.js')).certRequest(root(), options))
}

function keyBits(text: string): number {
  if (!['2048', '3072', '4096'].includes(text)) throw new InvalidArgumentError('It must be 2048, 3072 or 4096.')
  return Number(text)
}
