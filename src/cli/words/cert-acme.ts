/** The words of `wlb cert acme`. */
import type { Command } from 'commander'
import { collect, examples, integer } from './word.js'

export function addCertAcme(cert: Command, root: () => string): void {
  cert
    .command('acme')
    .description('get a certificate from an ACME authority and put it in place; wlb serve renews it from then on')
    .option('--directory <URL>', 'where the authority describes itself (default: the one of last time)')
    .option('--email <ADDRESS>', 'where the authority writes to (default: the one of last time)')
    .option('--name <FQDN>', 'a name in the certificate (may be repeated; default: the host name)', collect)
    .option('--http-address <IP>', 'where to answer the authority by HTTP (default: 0.0.0.0)')
    .option('--http-port <N>', 'the port there, to which port 80 of every name must lead (default: 80)', integer)
    .option('--dns-hook <PROGRAM>', 'prove the names by DNS instead: PROGRAM add|remove NAME VALUE changes it')
    .option('--directory-ca <FILE>', 'what the directory’s own HTTPS is verified with, in PEM')
    .option('--agree-tos', 'agree to the authority’s terms of service')
    .option('--dry-run', 'read the directory, print the plan, order nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'before',
      examples(
        'wlb cert acme --directory https://acme.example.com/directory --email admin@example.com',
        'wlb cert acme --directory https://acme.example.com/directory --email admin@example.com \\\n    --dns-hook /usr/local/sbin/change-dns --agree-tos --yes',
        'wlb cert acme --dry-run',
      ),
    )
    .action(async (options) => (await import('../cert/acme.js')).certAcme(root(), options))
}
