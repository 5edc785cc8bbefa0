/** Remedies for hosts that do not trust what the appliance serves: complete where the tool can do it, else with file and place. */
import type { X509Certificate } from 'node:crypto'
import { shell } from '../../../base/quote-word.js'
import { describeCertificate, isSelfSigned, readExtension } from '../../../x509/index.js'
import type { View } from '../evidence/view.js'

/** For a chain of an authority: its root, served or in a file that has to be fetched. */
export function installRoot({ pool, served, evidence: { local } }: View): string | undefined {
  if (!pool) return undefined
  const everything = [...served, ...(local?.isAsked ? local.onDisk : [])]
  if (everything.some(isSelfSigned)) return shell`wlb trust apply --goal ca --pool ${pool.name}`
  const top = topOf(served)
  if (!top) return undefined
  const { issuer } = describeCertificate(top)
  const published = /CA Issuers - URI:(\S+)/.exec(readExtension(top, () => top.infoAccess) ?? '')?.[1]
  const from = published === undefined ? 'from the authority' : `published at ${published}`
  return `${shell`wlb trust apply --goal ca root_ca.pem --pool ${pool.name}`}   # root_ca.pem: the root "${issuer}" or the one above it, in PEM, ${from}`
}

function topOf(served: readonly X509Certificate[]): X509Certificate | undefined {
  return served.findLast((one) => !served.some((other) => other !== one && other.subject === one.issuer))
}

/** For a self-signed certificate: the appliance itself says which it has where it runs on this machine; else it is copied. */
export function installSelfSigned({ pool, name, evidence: { local } }: View, file = 'wlb.pem'): string {
  if (pool && local?.isAsked) return shell`wlb trust apply --goal self-signed --pool ${pool.name}`
  return `${copyOf(name, file)}; xe pool-certificate-install filename=${file}; xe pool-certificate-sync`
}

/** As the procedure has it, for an appliance on another machine; typed on a host of the pool. */
export function copyOf(name: string, file: string): string {
  return shell`scp ${`root@${name}`}:/etc/ssl/certs/server.pem ${file}`
}
