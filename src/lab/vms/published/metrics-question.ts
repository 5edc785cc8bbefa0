/** What a client asks of `/rrd_updates`, read from its query as xcp-rrdd reads it. */
import type { IncomingMessage } from 'node:http'
import { CONSOLIDATIONS, type Question } from '../archives/archives.js'
import type { RoundRobin } from '../archives/round-robin.js'
import type { HostDatabases } from './databases.js'

/** Returns undefined where OCaml's `Int64.of_string` fails. A number that is too large is one. */
function readInteger(text: string): bigint | undefined {
  const found = /^([+-]?)(\d[\d_]*|0[xX][\da-fA-F][\da-fA-F_]*)$/.exec(text)
  if (!found?.[2]) return undefined
  const size = BigInt(found[2].replaceAll('_', ''))
  const value = found[1] === '-' ? -size : size
  return value === BigInt.asIntN(64, value) ? value : undefined
}

/** An interval that is no number counts as none, a function that is unknown as every one. */
export function readQuestion(query: URLSearchParams): Question | undefined {
  const start = readInteger(query.get('start') ?? '')
  if (start === undefined) return undefined
  const cf = query.get('cf')
  return {
    start,
    interval: readInteger(query.get('interval') ?? '') ?? 0n,
    cf: cf === 'LAST' ? 'NONE' : CONSOLIDATIONS.find((one) => one === cf),
  }
}

/** The host first, then its VMs; `all` and `none` are words of the real one. No storage repository has archives here. */
export function chooseDatabases({ host, vms }: HostDatabases, query: URLSearchParams): RoundRobin[] {
  const uuids = query.getAll('vm_uuid')
  const chosen =
    uuids.length === 0 || uuids.includes('all')
      ? [...vms.values()]
      : [...new Set(uuids)].flatMap((uuid) => vms.get(uuid) ?? [])
  return query.get('host') === 'true' ? [host, ...chosen] : chosen
}

const MIME = { json: 'application/json', xml: 'text/xml' } as const
export type Form = keyof typeof MIME

export function contentType(form: Form): string {
  return MIME[form]
}

/** `json` in the query decides; otherwise what the client accepts, JSON where it accepts both. */
export function readForm({ headers }: IncomingMessage, query: URLSearchParams): Form {
  if (query.has('json')) return 'json'
  if (headers.accept === undefined) return 'xml'
  const accepted = parseAccept(headers.accept)
  const [json, xml] = [qualityOf(accepted, MIME.json), qualityOf(accepted, MIME.xml)]
  return json > 0 && json >= xml ? 'json' : 'xml'
}

interface Accepted {
  readonly type: string
  readonly quality: number
}

function parseAccept(header: string): Accepted[] {
  return header.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase())
    const quality = parameters.map((word) => /^q=([\d.]+)$/.exec(word)?.[1]).find((word) => word !== undefined)
    return { type, quality: quality === undefined ? 1 : Number(quality) }
  })
}

/** The most exact range that fits counts (RFC 9110, 12.5.1). */
function qualityOf(accepted: readonly Accepted[], mime: string): number {
  const ranges = [mime, mime.replace(/\/.*/, '/*'), '*/*']
  const fitting = ranges.flatMap((range) => accepted.find(({ type }) => type === range) ?? [])
  return fitting[0]?.quality ?? 0
}
