/**
 * Which of the names a request asks for go into the certificate, and why the others do not. The rules are those every
 * client shares (RFC 1123, RFC 5280, RFC 6125): a name that some client would not match is refused, not carried along.
 */
import { isIP } from 'node:net'
import { findHostNameFault } from '../../base/names/host-name.js'
import { printable } from '../encoding/distinguished-name.js'
import type { AlternativeName } from '../encoding/general-name.js'
import type { ReceivedRequest } from './certificate-request.js'

export interface RefusedName {
  readonly kind: AlternativeName['kind']
  /** Safe to print. */
  readonly name: string
  /** The end of a sentence that begins with the name. */
  readonly why: string
}

export interface LeafNames {
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly refused: readonly RefusedName[]
  /** The common names that are host names and were not among the alternative names: they are now. */
  readonly addedFromCommonName: readonly string[]
}

type NamesAsked = Pick<ReceivedRequest, 'subject' | 'alternativeNames'>

/**
 * Sorts the names of a request. `allow` holds domains (each for itself and everything below it) and addresses; where it
 * is empty, every well-formed name is accepted.
 */
export function decideNames(request: NamesAsked, allow: readonly string[]): LeafNames {
  const asked = request.alternativeNames
  const added = commonHostNames(request).filter(
    (name) => !asked.some(({ kind, value }) => kind === name.kind && sameName(value, name.value)),
  )
  const accepted = new Map<string, AlternativeName>()
  const refused = new Map<string, RefusedName>()
  for (const name of [...added, ...asked]) {
    const why = findObjection(name) ?? findNotAllowed(name, allow)
    const key = `${name.kind} ${name.value.toLowerCase()}`
    if (why === undefined) accepted.set(key, accepted.get(key) ?? name)
    else refused.set(key, { kind: name.kind, name: printable(asCharacters(name.value)), why })
  }
  const of = (wanted: AlternativeName['kind']) =>
    [...accepted.values()].filter(({ kind }) => kind === wanted).map(({ value }) => value)
  return {
    dnsNames: of('dns'),
    ipAddresses: of('ip'),
    refused: [...refused.values()],
    addedFromCommonName: added.map(({ value }) => printable(value)),
  }
}

const HOST_LIKE = /^([a-z0-9_*-]+(\.[a-z0-9_*-]+)*|[\p{L}\p{M}\p{N}_*-]+(\.[\p{L}\p{M}\p{N}_*-]+)+)\.?$/iu

/** Clients compare a common name with a host's name only where it could be one; `Example appliance` is a title. */
export function commonHostNames({ subject }: NamesAsked): AlternativeName[] {
  return subject
    .filter(({ type, value }) => type === 'CN' && (isIP(value) !== 0 || HOST_LIKE.test(value)))
    .map(({ value }) => ({ kind: isIP(value) === 0 ? 'dns' : 'ip', value }))
}

function findObjection({ kind, value }: AlternativeName): string | undefined {
  if (kind === 'ip') return findAddressObjection(value)
  if (kind === 'email') return 'is an e-mail address, and this is a certificate for a server'
  if (kind === 'uri') return 'is a URI, and clients compare names'
  if (kind === 'other') return 'is of a kind that TLS clients do not compare'
  return findHostNameObjection(value)
}

function findAddressObjection(value: string): string | undefined {
  if (isIP(value) === 0) return 'is not an IP address: it has neither 4 nor 16 bytes'
  if (value === '0.0.0.0' || value === '::') return 'is the address of no machine'
  return undefined
}

function findHostNameObjection(value: string): string | undefined {
  if (isIP(value) !== 0) return `is an address asked for as a name: ask for it as an address (IP:${value})`
  const labels = value.split('.')
  if (labels[0] === '*') {
    labels.shift()
    if (labels.length < 2) return 'would stand for everything directly below a top-level domain'
  }
  if (labels.some((label) => label.includes('*'))) return 'has a wildcard that is not the whole first label'
  return findHostNameFault(asCharacters(labels.join('.')))
}

/** The extension holds bytes; those of UTF-8 are read as such, so that the right name can be proposed. */
function asCharacters(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString('utf8')
  return /[^\0-\xff]/.test(latin1) || text.includes('\ufffd') ? latin1 : text
}

function findNotAllowed({ kind, value }: AlternativeName, allow: readonly string[]): string | undefined {
  if (allow.length === 0) return undefined
  const isWithin = (allowed: string) =>
    sameName(value, allowed) || (kind === 'dns' && value.toLowerCase().endsWith(`.${allowed.toLowerCase()}`))
  return allow.some(isWithin) ? undefined : `is not within what was allowed: ${allow.join(', ')}`
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
