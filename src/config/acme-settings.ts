/** The `[acme]` section of the settings: which authority certificates come from (RFC 8555), for which names, proved how. */
import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { findFullHostNameFault } from '../base/names/host-name.js'
import { isPort, LISTEN_ADDRESS_RULE, PORT_RULE } from './addresses.js'

export interface AcmeSettings {
  /** Where the authority describes itself. */
  readonly directory: string
  /** Where the authority writes to. */
  readonly email: string
  /** What the certificate shall carry. */
  readonly names: readonly string[]
  readonly challenge: HttpChallenge | DnsChallenge
  /** A PEM file of what the directory's own HTTPS is verified with, where that is not what this machine trusts anyway. */
  readonly directoryCa?: string | undefined
  /** Which of the authority's kinds of certificate, where it has several. */
  readonly profile?: string | undefined
  /** Who the authority knows us as, and the file with the key that it gave out for that (external account binding). */
  readonly eabKid?: string | undefined
  readonly eabKeyFile?: string | undefined
  /** The address of the terms of service that were agreed to. */
  readonly agreedTerms?: string | undefined
  /** Where an authority changes its root, the pools are made to trust it without an operator; so unless said otherwise. */
  readonly bringsAnchor?: boolean | undefined
}

export interface HttpChallenge {
  readonly type: 'http-01'
  /** What our small server listens on while an order is under way. */
  readonly address: string
  readonly port: number
}

export interface DnsChallenge {
  readonly type: 'dns-01'
  /** Puts records into the DNS and takes them out again. */
  readonly hook: string
}

export const HTTP_ADDRESS = '0.0.0.0'
export const HTTP_PORT = 80

/** Something about the choices that cannot work; `choice` is the key in the file. */
export interface AcmeFault {
  readonly choice: string
  readonly given: string
  readonly why: string
}

const SECTION = z.strictObject({
  directory: z.string(),
  email: z.string(),
  names: z.array(z.string()),
  challenge: z.enum(['http-01', 'dns-01'], 'must be http-01 or dns-01'),
  http_address: z.string().optional(),
  http_port: z.int().optional(),
  dns_hook: z.string().optional(),
  directory_ca: z.string().optional(),
  profile: z.string().optional(),
  eab_kid: z.string().optional(),
  eab_key_file: z.string().optional(),
  agreed_terms: z.string().optional(),
  bring_anchor_to_pools: z.boolean('must be true or false').optional(),
})

/** The section as it stands in the file. */
export const ACME_FILE = SECTION.superRefine((section, context) => {
  const fault = findAcmeFault(fromAcmeFile(section))
  if (fault) context.addIssue({ code: 'custom', path: [fault.choice], message: fault.why })
})

export function fromAcmeFile(section: z.infer<typeof SECTION>): AcmeSettings {
  const { directory, email, names, challenge, http_address, http_port, dns_hook, directory_ca, agreed_terms } = section
  const { bring_anchor_to_pools: bringsAnchor, profile, eab_kid: eabKid, eab_key_file: eabKeyFile } = section
  return {
    directory,
    email,
    names,
    challenge:
      challenge === 'dns-01'
        ? { type: challenge, hook: dns_hook ?? '' }
        : { type: challenge, address: http_address ?? HTTP_ADDRESS, port: http_port ?? HTTP_PORT },
    directoryCa: directory_ca,
    profile,
    eabKid,
    eabKeyFile,
    agreedTerms: agreed_terms,
    bringsAnchor,
  }
}

export function toAcmeFile(settings: AcmeSettings): z.infer<typeof SECTION> {
  const { directory, email, names, challenge, directoryCa, profile, eabKid, eabKeyFile, agreedTerms, bringsAnchor } =
    settings
  return {
    directory,
    email,
    names: [...names],
    challenge: challenge.type,
    ...(challenge.type === 'http-01'
      ? { http_address: challenge.address, http_port: challenge.port }
      : { dns_hook: challenge.hook }),
    directory_ca: directoryCa,
    profile,
    eab_kid: eabKid,
    eab_key_file: eabKeyFile,
    agreed_terms: agreedTerms,
    bring_anchor_to_pools: bringsAnchor,
  }
}

/** The first choice that cannot work, before anybody is asked. */
export function findAcmeFault({
  directory,
  email,
  names,
  challenge,
  directoryCa,
  profile,
  eabKid,
  eabKeyFile,
}: AcmeSettings): AcmeFault | undefined {
  const fault = (choice: string, given: string, why: string | undefined) => (why ? [{ choice, given, why }] : [])
  const [first] = [
    ...fault('directory', directory, checkDirectory(directory)),
    ...fault('email', email, checkEmail(email)),
    ...fault('names', '', names.length === 0 ? 'must be one name or more' : undefined),
    ...names.flatMap((name) => fault('names', name, checkName(name, challenge.type))),
    ...(challenge.type === 'http-01'
      ? [
          ...fault('http_address', challenge.address, isIP(challenge.address) === 0 ? LISTEN_ADDRESS_RULE : undefined),
          ...fault('http_port', String(challenge.port), isPort(challenge.port) ? undefined : PORT_RULE),
        ]
      : fault('dns_hook', challenge.hook, checkPath(challenge.hook))),
    ...(directoryCa === undefined ? [] : fault('directory_ca', directoryCa, checkPath(directoryCa))),
    ...(profile === undefined ? [] : fault('profile', profile, checkWord(profile))),
    ...(eabKid === undefined ? [] : fault('eab_kid', eabKid, checkWord(eabKid))),
    ...(eabKeyFile === undefined ? [] : fault('eab_key_file', eabKeyFile, checkPath(eabKeyFile))),
    ...fault(...checkBinding(eabKid, eabKeyFile)),
  ]
  return first
}

function checkDirectory(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isUsable = url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === ''
  return isUsable ? undefined : 'must be the https address of a directory, such as https://acme.example.com/directory'
}

function checkEmail(text: string): string | undefined {
  const isAddress = /^[!-+\--?A-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(text)
  return isAddress ? undefined : 'must be one address such as admin@example.com, in ASCII'
}

function checkName(name: string, challenge: 'http-01' | 'dns-01'): string | undefined {
  if (isIP(name) !== 0)
    return 'is an IP address: a pool compares names and never looks at the addresses in a certificate; connect it by name'
  const isWildcard = name.startsWith('*.')
  const fault = findFullHostNameFault(isWildcard ? name.slice(2) : name)
  if (fault !== undefined) return fault
  return isWildcard && challenge === 'http-01' ? 'stands for many hosts, which only dns-01 can prove' : undefined
}

function checkWord(text: string): string | undefined {
  return /^[!-~]{1,255}$/.test(text) ? undefined : 'must be one word in ASCII'
}

/** An identifier says nothing without its key, and a key nothing without its identifier. */
function checkBinding(kid: string | undefined, keyFile: string | undefined): [string, string, string | undefined] {
  if (kid === undefined && keyFile !== undefined) return ['eab_kid', '', 'must say whose key that in eab_key_file is']
  if (kid !== undefined && keyFile === undefined)
    return ['eab_key_file', '', 'must name the file with the key of eab_kid']
  return ['eab_kid', '', undefined]
}

/** `wlb serve` may be started in any folder. */
function checkPath(text: string): string | undefined {
  return isAbsolute(text) && !text.includes('\0') ? undefined : 'must be the full path of a file'
}
