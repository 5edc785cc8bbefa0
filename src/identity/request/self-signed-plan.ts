/** A new self-signed certificate: its names and lifetime, before its key is made. */

import { networkInterfaces } from 'node:os'
import { checkChoice, paths, readSettings } from '../../config/index.js'
import { createSelfSigned, type Identity } from '../../x509/index.js'
import { fail } from '../errors.js'

export interface SelfSignedChoices {
  /** The configured one unless given. */
  readonly hostname?: string
  /** 3650 unless given. */
  readonly days?: number
  /** 2048 unless given. */
  readonly keyBits?: number
  /** Further names it is to speak for. */
  readonly subjectAltName?: readonly string[]
}

export interface SelfSignedPlan {
  readonly hostname: string
  /** What pools connect to. */
  readonly configuredHostname: string
  readonly addresses: readonly string[]
  readonly days: number
  readonly keyBits: number
  /** Makes key and certificate, in memory. */
  make(): Promise<Identity>
}

/** A hundred years. */
const DAYS_LIMIT = 36_500

/** @throws NOT_SET_UP, SETTINGS_INVALID, SELF_SIGNED_IMPOSSIBLE */
export async function planSelfSigned(root: string, choices: SelfSignedChoices, now: Date): Promise<SelfSignedPlan> {
  const settings = await readSettings(paths(root).settings)
  const { hostname = settings.hostname, days = 3650, keyBits = 2048, subjectAltName = [] } = choices
  const why = checkChoice('hostname', hostname)
  if (why !== undefined) {
    throw fail('SELF_SIGNED_IMPOSSIBLE', { choice: 'hostname', given: hostname, why })
  }
  if (days < 1 || days > DAYS_LIMIT) {
    const limits = `must be a whole number from 1 to ${DAYS_LIMIT}`
    throw fail('SELF_SIGNED_IMPOSSIBLE', { choice: 'days', given: days, why: limits })
  }
  const addresses = ownAddresses(settings.address)
  return {
    hostname,
    configuredHostname: settings.hostname,
    addresses,
    days,
    keyBits,
    make: () => createSelfSigned({ hostname, addresses, now, lifetimeDays: days, keyBits, subjectAltName }),
  }
}

/** The address itself, or, where it stands for all addresses, this machine's own; link-local ones are left out. */
export function ownAddresses(address: string): readonly string[] {
  if (address !== '0.0.0.0' && address !== '::') return [address]
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((own) => !own.internal && !own.address.startsWith('fe80:'))
    .map((own) => own.address)
}
