/**
 * The names in a certificate request. Pools connect to the appliance's host name and compare names only, so the common name is
 * exactly that name, and it is among the alternative names too, which pools check first (docs/protocol/pool.md).
 */
import { isIP } from 'node:net'
import { COMMON_NAME_LIMIT, findHostNameFault } from '../../base/names/host-name.js'
import { fail } from '../errors.js'

export interface RequestNames {
  readonly commonName: string
  /** The common name first. */
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
}

/**
 * @throws COMMON_NAME_DIFFERS when it is not the host name, unless `force`.
 * @throws NAME_INVALID when a name is neither a host name nor an IP address, or too long for a common name.
 */
export function chooseNames(wish: {
  readonly hostname: string
  readonly commonName?: string | undefined
  readonly alternativeNames: readonly string[]
  readonly force: boolean
}): RequestNames {
  const { hostname, commonName = hostname, alternativeNames, force } = wish
  if (commonName !== hostname && !force) throw fail('COMMON_NAME_DIFFERS', { commonName, hostname })
  const all = [...new Set([commonName, ...alternativeNames])]
  for (const name of all) {
    const why = checkName(name)
    if (why !== undefined) throw fail('NAME_INVALID', { name, why })
  }
  if (commonName.length > COMMON_NAME_LIMIT) throw fail('NAME_INVALID', { name: commonName, why: TOO_LONG })
  return {
    commonName,
    dnsNames: all.filter((name) => isIP(name) === 0),
    ipAddresses: all.filter((name) => isIP(name) !== 0),
  }
}

const TOO_LONG =
  'a common name holds 64 characters: ask for a short one with --common-name and --force, and for this one with --san'

/** Why a certificate cannot carry this name; undefined when it can. */
function checkName(name: string): string | undefined {
  if (isIP(name) !== 0) return undefined
  return findHostNameFault(name.startsWith('*.') ? name.slice(2) : name)
}

/** Likely mistakes in the names, each a sentence or two. */
export function warnOfNames(
  names: RequestNames,
  hostname: string,
  machineName: string,
  /** What pools have connected to, as far as that is known. */
  addressesUsed: readonly string[],
): string[] {
  const { commonName, dnsNames, ipAddresses } = names
  const warnings: string[] = []
  if (ipAddresses.length > 0) {
    warnings.push(
      `Pools compare names and never look at the IP addresses of a certificate: a pool that connects to ${ipAddresses.join(' or ')} will refuse it, while browsers and other clients accept it. Connect the pool to ${dnsNames[0] ?? hostname}.`,
    )
  }
  if (!dnsNames.includes(hostname)) {
    warnings.push(
      `The request does not ask for ${hostname}, the host name of this appliance: a pool that connects to that name will refuse the certificate.`,
    )
  }
  if (commonName === hostname && !isSameMachine(machineName, hostname)) {
    warnings.push(
      `This machine calls itself ${machineName}, and the appliance is configured as ${hostname}, which the request asks for. If the machine was renamed, change hostname in the settings first.`,
    )
  }
  for (const address of addressesUsed.filter((used) => used !== hostname.toLowerCase() && !isAmong(used, dnsNames))) {
    const way = isIP(address) === 0 ? `Ask for it too (--san ${address}), or connect` : 'Connect'
    warnings.push(
      `A pool connects to ${address}, for which the certificate will not speak. ${way} that pool to ${dnsNames[0] ?? hostname}.`,
    )
  }
  return warnings
}

/** As a pool compares: case is ignored, `*` stands for the first label, and IP addresses do not count. */
function isAmong(address: string, dnsNames: readonly string[]): boolean {
  const wildcard = address.replace(/^[^.]*/, '*')
  return dnsNames.some((name) => [address, wildcard].includes(name.toLowerCase()))
}

/** `hostname` prints the full name on some machines and the first label on others. */
function isSameMachine(machineName: string, hostname: string): boolean {
  const [machine, full] = [machineName.toLowerCase(), hostname.toLowerCase()]
  return machine === full || machine === full.split('.', 1).join('')
}
