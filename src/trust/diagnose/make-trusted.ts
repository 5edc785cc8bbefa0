/** Remedies for hosts that do not trust what the appliance serves: complete where the tool can do it, else with file and place. */
import type { X509Certificate } from 'node:crypto'
import { quoteWord, shell } from '../../base/text/quote-word.js'
import { describeCertificate, isSelfSigned, readExtension } from '../../x509/index.js'
import type { View } from './evidence/view.js'

/** For a chain of an authority: its root, served or in a file that has to be fetched. */
export function installRoot({ pool, served, now, evidence: { local } }: View): string | undefined {
  if (!pool) return undefined
  const everything = [...served, ...(local?.isAsked ? local.onDisk : [])]
  if (everything.some((one) => isSelfSigned(one) && new Date(one.validTo) > now))
    return shell`wlb trust apply --goal ca --pool ${pool.name}`
  const top = topOf(served)
  if (!top) return undefined
  const { issuer } = describeCertificate(top)
  return `${shell`wlb trust apply --goal ca root_ca.pem --pool ${pool.name}`}   # root_ca.pem: the root "${issuer}" or the one above it, in PEM, ${sourceOf(top)}`
}

/** Where the certificate of its issuer is to be had. */
function sourceOf(certificate: X509Certificate): string {
  const published = /CA Issuers - URI:(\S+)/.exec(readExtension(certificate, () => certificate.infoAccess) ?? '')?.[1]
  return published === undefined ? 'from the authority' : `published at ${published}`
}

/** With the issuer's certificate, which a person has to fetch; typed on the appliance. */
export function installWithIssuer(view: View, issued: X509Certificate): string {
  const { issuer } = describeCertificate(issued)
  const what = `intermediate_ca.pem: the certificate "${issuer}" of today, in PEM, ${sourceOf(issued)}`
  return `${installInPlace(view, 'intermediate_ca.pem')}   # ${what}${view.evidence.local?.isAsked ? '' : '; on the appliance'}`
}

/** Sorts what is in place, with further files or without, and serves it in order. */
export function installInPlace({ evidence: { local } }: View, ...files: readonly string[]): string {
  const { certificateFile, keyFile } = local?.isAsked ? local : USUAL_FILES
  return ['wlb cert install', ...[...files, certificateFile, '--key', keyFile].map(quoteWord)].join(' ')
}

const USUAL_FILES = { certificateFile: '/etc/ssl/certs/server.pem', keyFile: '/etc/ssl/certs/server.key' }

const FOLDER = '/etc/stunnel/certs'

/** For a coordinator that lacks what the pool has on record, from a host that has it. */
export function installFrom(address: string, names: readonly string[]): string {
  const copy = `scp ${quoteWord(`root@${address}`)}:${FOLDER}/"$name" .`
  const uninstall = 'xe pool-uninstall-ca-certificate name="$name" force=true'
  const install = 'xe pool-install-ca-certificate filename="$name"'
  return `for name in ${names.map(quoteWord).join(' ')}; do ${copy} && ${uninstall}; ${install}; done; xe pool-certificate-sync`
}

/** For names that only the disk tells. */
export const INSTALL_ALL_AGAIN = `for file in ${FOLDER}/*.pem; do name=\${file##*/}; cp "$file" "$name" && xe pool-uninstall-ca-certificate name="$name"; xe pool-install-ca-certificate filename="$name"; done; xe pool-certificate-sync`

/** Out of the trust store and in again, on the host that has the file; only in, where its name is one no pool removes. */
export function installAgain(name: string, file = name): string {
  const after = quoteWord(file)
  const uninstall = name === file ? ` && xe pool-uninstall-ca-certificate name=${after}` : ''
  const install = `xe pool-install-ca-certificate filename=${after}`
  return `cp ${quoteWord(`${FOLDER}/${name}`)} ${after}${uninstall}; ${install}; xe pool-certificate-sync`
}

function topOf(served: readonly X509Certificate[]): X509Certificate | undefined {
  return served.findLast((one) => !served.some((other) => other !== one && other.subject === one.issuer))
}

/** For a self-signed certificate, in the place of the one that is `gone`: the appliance itself says which it has where it runs on this machine; else it is copied. */
export function installSelfSigned(view: View, gone?: string): string {
  const { pool, name, installed, evidence } = view
  if (pool && evidence.local?.isAsked) return shell`wlb trust apply --goal self-signed --pool ${pool.name}`
  const isFree = (one: string) => one === gone || !installed.some(({ record }) => record.name === one)
  const file = ['wlb.pem', 'wlb-2.pem', 'wlb-3.pem'].find(isFree) ?? 'wlb-4.pem'
  const before = gone === undefined ? '' : `xe pool-certificate-uninstall name=${quoteWord(gone)}; `
  return `${before}${copyOf(name, file)}; xe pool-certificate-install filename=${file}; xe pool-certificate-sync`
}

/** As the procedure has it, for an appliance on another machine; typed on a host of the pool. */
export function copyOf(name: string, file: string): string {
  return shell`scp ${`root@${name}`}:/etc/ssl/certs/server.pem ${file}`
}
