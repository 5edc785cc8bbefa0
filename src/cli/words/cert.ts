/** The words of `wlb cert`. */
import type { Command } from 'commander'
import { addCertAcme } from './cert-acme.js'
import { addCertCheck } from './cert-check.js'
import { addIdentities } from './cert-identities.js'
import { addCertRequest } from './cert-request.js'
import { examples } from './word.js'

export function addCert(program: Command, root: () => string): void {
  const cert = program.command('cert').description('the certificate of this appliance')
  cert
    .command('show')
    .description('names, dates, fingerprints and chain: on disk, and as served')
    .option('--json', 'print one JSON document')
    .addHelpText('before', examples('wlb cert show'))
    .action(async ({ json = false }) => (await import('../cert.js')).certShow(root(), json))
  cert
    .command('install <FILE...>')
    .description('put a signed certificate, its issuers and its key in place, whatever order and form they come in')
    .option('--key <FILE>', 'the private key, where it is not the one that was made for the request')
    .option('--passphrase-file <FILE>', 'the passphrase of the key, or of a PKCS#12 file: the first line of FILE')
    .option('--name <FQDN>', 'the name pools connect to, where it is not the configured host name')
    .option('--dry-run', 'print the plan, change nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb cert install signed_cert.pem intermediate_ca.pem root_ca.pem',
        'wlb cert install chain.p7b root.cer --dry-run',
        'wlb cert install everything.p12 --passphrase-file pass --yes',
      ),
    )
    .action(async (files: string[], options) =>
      (await import('../cert/install.js')).certInstall(root(), files, options),
    )
  addCertCheck(cert, root)
  addIdentities(cert, root)
  addCertRequest(cert, root)
  addCertAcme(cert, root)
}
