/** Revocation lists: the pool lists their names, and hosts report what they found. */
import { quoteWord, shell } from '../../../base/text/quote-word.js'
import { describeCertificate, isSelfSigned } from '../../../x509/index.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { type Flaw, hostsOf, quoteHosts } from '../flaw.js'
import { listOf } from '../wording.js'

const CODES: Readonly<Record<string, string>> = {
  REVOKED: 'LEAF_REVOKED',
  CRL_EXPIRED: 'CRL_EXPIRED',
  CRL_NOT_YET_VALID: 'CRL_NOT_YET_VALID',
  CRL_SIGNATURE_WRONG: 'CRL_SIGNATURE_WRONG',
}

const CAUSES: Readonly<Record<string, string>> = {
  LEAF_REVOKED: "The appliance's certificate has been revoked by its issuer.",
  CRL_EXPIRED: 'The revocation list of the issuer has expired, and with it every connection.',
  CRL_NOT_YET_VALID: 'The revocation list of the issuer is not valid yet.',
  CRL_SIGNATURE_WRONG: 'The revocation list in the name of the issuer is signed with another key.',
}

export function explainCrl(view: View, flaw: Flaw): readonly Draft[] {
  const hosts = hostsOf(view, flaw)
  const names = view.evidence.crls ?? []
  const [file = 'NAME.pem'] = names
  const lists = names.length === 0 ? 'no revocation list is shown' : `revocation lists: ${listOf(names)}`
  const evidence = [quoteHosts(flaw), lists].filter(Boolean).join('; ')
  const code = CODES[flaw.code]
  if (code !== undefined) {
    // without the new one nothing would be revoked any more
    const renewed = `ls crl.pem && xe pool-crl-uninstall name=${quoteWord(file)} && ${installList(view)}`
    return [
      { code, hosts, cause: CAUSES[code] ?? '', evidence, ...(code === 'LEAF_REVOKED' ? {} : { remedy: renewed }) },
    ]
  }
  if (flaw.code !== 'CRL_MISSING') return [{ code: flaw.code, hosts, evidence }]
  const unfit = names.filter((name) => !CRL_NAME.test(name))
  if (unfit.length > 0) return [badlyNamed(unfit, hosts, evidence)]
  return [missing(view, hosts, evidence)]
}

/** The same names as for certificates, which is a surprise to everybody. */
const CRL_NAME = /^(?!\.)[A-Za-z0-9._-]+\.pem$/

/** Only the authority can make one: the file has to be fetched, to the host where this is typed. */
function installList({ leaf, name, port }: View): string {
  const issuer = leaf ? describeCertificate(leaf).issuer : 'the issuer'
  const address = shell`openssl s_client -connect ${`${name}:${port}`} </dev/null | openssl x509 -noout -ext crlDistributionPoints`
  const what = `crl.pem: the list of "${issuer}" of today, in PEM, from the authority, or from the address that this shows: ${address}`
  return `xe pool-crl-install filename=crl.pem; xe pool-certificate-sync   # ${what}`
}

/** Nobody publishes a list for a certificate that issued itself. */
function removeLists({ evidence: { crls = [] } }: View): string {
  const each = crls.map((name) => `xe pool-crl-uninstall name=${quoteWord(name)}; `).join('')
  return `${each}xe pool-certificate-sync   # there is no list for a self-signed certificate; or use one that an authority signed`
}

function missing(view: View, hosts: readonly string[], evidence: string): Draft {
  const { leaf, served } = view
  const issuer = leaf ? describeCertificate(leaf).issuer : 'the issuer'
  const found = leaf && served.find((one) => one !== leaf && one.subject === leaf.issuer)
  const isIssuedBetween = found !== undefined && !isSelfSigned(found)
  return {
    code: isIssuedBetween ? 'CRL_OF_ROOT_ONLY' : 'CRL_OF_ANOTHER',
    hosts,
    cause: `There are revocation lists, and none of ${issuer}: as soon as a host has any, it needs the one of the issuer of the appliance's certificate.`,
    evidence: isIssuedBetween
      ? `${evidence}; an intermediate is the issuer, the list of the root is not enough`
      : evidence,
    remedy: leaf && isSelfSigned(leaf) ? removeLists(view) : installList(view),
  }
}

function badlyNamed(names: readonly string[], hosts: readonly string[], evidence: string): Draft {
  const [first = ''] = names
  return {
    code: 'CRL_NAME_UNFIT',
    hosts,
    cause: `${listOf(names)} lies among the revocation lists under a name that does not end in .pem: it is of no use, and makes every connection ask for one.`,
    evidence,
    remedy: `rm ${quoteWord(`/etc/stunnel/crls/${first}`)}; xe pool-certificate-sync`,
  }
}
