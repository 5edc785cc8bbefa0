/** The name the pool connects by, against those the certificate speaks for. */

import { isIP } from 'node:net'
import { shell } from '../../../base/text/quote-word.js'
import { checkHost, describeCertificate, namesCompared } from '../../../x509/index.js'
import { formatWlbAddress } from '../../../xapi/index.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { type Flaw, hostsOf, quoteHosts } from '../flaw.js'
import { listOf } from '../wording.js'

export function explainName(view: View, flaw: Flaw): readonly Draft[] {
  const { leaf, name, port } = view
  const hosts = hostsOf(view, flaw)
  if (!leaf) return [{ code: 'NAME_DIFFERS', hosts, evidence: quoteHosts(flaw) }]
  const { commonName, dnsNames, ipAddresses } = describeCertificate(leaf)
  const compared = namesCompared(leaf)
  const evidence = [
    `wlb_url names ${name}; it is compared with ${listOf(compared) || 'no name at all'}`,
    ...(ipAddresses.length > 0 ? [`addresses in the certificate are not looked at: ${listOf(ipAddresses)}`] : []),
    ...(dnsNames.length > 0 && commonName !== undefined ? [`common name: ${commonName}`] : []),
    ...(quoteHosts(flaw) ? [quoteHosts(flaw)] : []),
  ].join('; ')
  const better = compared.find((one) => !one.includes('*') && one.includes('.') && isIP(one) === 0)
  const again = reconnect(better ?? 'FQDN', port)
  const draft = { hosts, evidence }

  if (isIP(name) !== 0) {
    const cause = `The pool connects by the address ${name}, and pools compare an address with names only.`
    return [{ code: 'CONNECTED_BY_ADDRESS', ...draft, cause, remedy: again }]
  }
  const undotted = name.replace(/\.$/, '')
  if (undotted !== name && checkHost(leaf, undotted)) {
    const cause = 'The name the pool connects by ends with a dot, and no certificate has that.'
    return [{ code: 'NAME_ENDS_WITH_DOT', ...draft, cause, remedy: reconnect(undotted, port) }]
  }
  if (!name.includes('.') && compared.some((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}.`))) {
    const cause = `The pool connects by the short name ${name}, and the certificate has the full one.`
    return [{ code: 'SHORT_NAME', ...draft, cause, remedy: again }]
  }
  const wildcard = compared.find(
    (one) => one.startsWith('*.') && name.toLowerCase().endsWith(one.slice(1).toLowerCase()),
  )
  if (wildcard !== undefined) {
    const cause = `The wildcard ${wildcard} stands for one label, below a domain of two at least, and does not cover ${name}.`
    return [{ code: 'WILDCARD_LEVEL', ...draft, cause, remedy: requestFor(name) }]
  }
  if (dnsNames.length > 0 && commonName?.toLowerCase() === name.toLowerCase()) {
    const cause =
      'The common name is the right one and does not count: the certificate has DNS names, and the name is not among them.'
    return [{ code: 'NAME_NOT_AMONG_SANS', ...draft, cause, remedy: requestFor(name) }]
  }
  const cause = `The certificate does not speak for ${name}, the name the pool connects by.`
  return [{ code: 'NAME_DIFFERS', ...draft, cause, remedy: better === undefined ? requestFor(name) : again }]
}

/** Typed on a host of the pool. Capitals stand for what is not known here, and must not be. */
export function reconnect(name: string, port: number): string {
  const url = formatWlbAddress({ host: name, port })
  const command = shell`xe pool-initialize-wlb wlb_url=${url} wlb_username=USER wlb_password=PASSWORD xenserver_username=USER xenserver_password=PASSWORD`
  return `${command}   # first the account of the appliance (there: wlb account show), then an administrator of the pool`
}

function requestFor(name: string): string {
  return shell`wlb cert request --common-name ${name}`
}

/** What is accepted and worth knowing. */
export function findNameNotes({ leaf, name, port }: View): readonly Draft[] {
  if (!leaf || name === '' || !checkHost(leaf, name)) return []
  const compared = namesCompared(leaf)
  const evidence = `wlb_url names ${name}; the certificate has ${listOf(compared)}`
  if (isIP(name) !== 0) {
    const cause =
      'The pool connects by address, and it works because the certificate has the address written as a name: other clients refuse that.'
    const better = compared.find((one) => isIP(one) === 0)
    return [{ code: 'ADDRESS_AS_NAME', cause, evidence, ...(better && { remedy: reconnect(better, port) }) }]
  }
  if (compared.includes(name)) return []
  const sameLetters = compared.some((one) => one.toLowerCase() === name.toLowerCase())
  return sameLetters
    ? [
        {
          code: 'LETTER_CASE',
          cause: 'Capital and small letters differ between wlb_url and certificate, which does not matter.',
          evidence,
          remedy: reconnect(name.toLowerCase(), port),
        },
      ]
    : [
        {
          code: 'WILDCARD',
          cause: 'A wildcard covers the name: who takes its key can pose as every machine below that domain.',
          evidence,
          remedy: requestFor(name),
        },
      ]
}
