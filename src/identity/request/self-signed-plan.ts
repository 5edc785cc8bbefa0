/** A new self-signed certificate: for which names and for how long, before a key is made. */

import { networkInterfaces } from 'node:os'
import { WlbError } from '../../base/error.js'
import { paths } from '../../config/paths.js'
import { checkChoice, readSettings } from '../../config/settings.js'
import { createSelfSigned, type Identity } from '../../x509/index.js'

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
  /** What pools are told to connect to. */
  readonly configuredHostname: string
  readonly addresses: readonly string[]
  readonly days: number
  readonly keyBits: number
  /** Makes key and certificate, in memory. */
  make(): Promise<Identity>
}

/** Certificates of a longer life pass the year 9999 sooner than they wear out. */
const DAYS_LIMIT = 36_500

/** @throws NOT_SET_UP, SETTINGS_INVALID, SELF_SIGNED_IMPOSSIBLE */
export async function planSelfSigned(root: string, choices: SelfSignedChoices, now: Date): Promise<SelfSignedPlan> {
  const settings = await readSettings(paths(root).settings)
  const { hostname = settings.hostname, days = 3650, keyBits = 2048, subjectAltName = [] } = choices
  const why = checkChoice('hostname', hostname)
  if (why !== undefined) throw impossible('hostname', hostname, why)
  if (days < 1 || days > DAYS_LIMIT) throw impossible('days', days, `must be a whole number from 1 to ${DAYS_LIMIT}`)
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

function impossible(choice: string, given: string | number, why: string): WlbError {
  return new WlbError(
    'SELF_SIGNED_IMPOSSIBLE',
    'There can be no such certificate.',
    { choice, given, why },
    'wlb cert self-signed --hostname wlb.example.com --days 3650',
  )
}

/** The address itself, or this machine's where it means all of them; those that only mean something on one link left out. */
export function ownAddresses(address: string): readonly string[] {
  if (address !== '0.0.0.0' && address !== '::') return [address]
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((own) => !own.internal && !own.address.startsWith('fe80:'))
    .map((own) => own.address)
}
