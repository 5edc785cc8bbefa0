/** What to order from an ACME authority: options first, then the settings of last time, then defaults. */

import { resolve } from 'node:path'
import { quoteWord } from '../../../base/text/quote-word.js'
import { type AcmeFault, type AcmeSettings, findAcmeFault, HTTP_ADDRESS, HTTP_PORT } from '../../../config/index.js'
import { fail } from '../../errors.js'
import type { AcmeFlags } from '../commands.js'

/** @throws ACME_CHOICE_MISSING, ACME_CHOICE_INVALID, USAGE_ONE_CHALLENGE */
export function chooseAcme(flags: AcmeFlags, hostname: string, remembered: AcmeSettings | undefined): AcmeSettings {
  const { dnsHook, httpAddress, httpPort } = flags
  if (dnsHook !== undefined && (httpAddress !== undefined || httpPort !== undefined))
    throw fail('USAGE_ONE_CHALLENGE', { given: '--dns-hook and --http-…' })
  const directory = flags.directory ?? remembered?.directory
  const email = flags.email ?? remembered?.email
  if (directory === undefined) throw fail('ACME_CHOICE_MISSING', { missing: '--directory' })
  if (email === undefined) throw fail('ACME_CHOICE_MISSING', { missing: '--email' })
  // terms, trust anchor, account and kinds of certificate belong to one authority
  const known = remembered?.directory === directory ? remembered : undefined
  const directoryCa = flags.directoryCa === undefined ? known?.directoryCa : resolve(flags.directoryCa)
  const chosen: AcmeSettings = {
    directory,
    email,
    names: flags.name ? [...new Set(flags.name)] : (remembered?.names ?? [hostname]),
    challenge: chooseChallenge(flags, remembered),
    directoryCa,
    profile: flags.profile ?? known?.profile,
    eabKid: flags.eabKid ?? known?.eabKid,
    eabKeyFile: flags.eabKeyFile === undefined ? known?.eabKeyFile : resolve(flags.eabKeyFile),
    agreedTerms: known?.agreedTerms,
    bringsAnchor: remembered?.bringsAnchor ?? true,
  }
  const fault = findAcmeFault(chosen) ?? findMissingHostname(chosen, hostname)
  if (fault) throw fail('ACME_CHOICE_INVALID', fault)
  return chosen
}

function chooseChallenge(
  { dnsHook, httpAddress, httpPort }: AcmeFlags,
  remembered: AcmeSettings | undefined,
): AcmeSettings['challenge'] {
  if (dnsHook !== undefined) return { type: 'dns-01', hook: resolve(dnsHook) }
  const before = remembered?.challenge
  if (before && httpAddress === undefined && httpPort === undefined) return before
  const known = before?.type === 'http-01' ? before : { address: HTTP_ADDRESS, port: HTTP_PORT }
  return { type: 'http-01', address: httpAddress ?? known.address, port: httpPort ?? known.port }
}

/** Pools connect to the configured host name and refuse a certificate without it. */
function findMissingHostname({ names }: AcmeSettings, hostname: string): AcmeFault | undefined {
  const own = hostname.toLowerCase()
  const wildcard = own.replace(/^[^.]*/, '*')
  if (names.some((name) => [own, wildcard].includes(name.toLowerCase()))) return undefined
  const why = `must be among them as ${hostname}, the host name of this appliance, which pools connect to`
  return { choice: 'names', given: names.join(', '), why }
}

/** The command that was typed, to be typed again. */
export function commandOf(flags: AcmeFlags): string {
  const given: [flag: string, value: string | undefined][] = [
    ['--directory', flags.directory],
    ['--email', flags.email],
    ...(flags.name ?? []).map((name): [string, string] => ['--name', name]),
    ['--http-address', flags.httpAddress],
    ['--http-port', flags.httpPort === undefined ? undefined : String(flags.httpPort)],
    ['--dns-hook', flags.dnsHook],
    ['--directory-ca', flags.directoryCa],
    ['--profile', flags.profile],
    ['--eab-kid', flags.eabKid],
    ['--eab-key-file', flags.eabKeyFile],
  ]
  const words = given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, quoteWord(value)]))
  return ['wlb cert acme', ...words, ...(flags.agreeTos ? ['--agree-tos'] : [])].join(' ')
}
