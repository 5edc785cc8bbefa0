/** The autonomous system numbers an authority may hand on (RFC 3779, 3), which OpenSSL 3.0 checks in every path (v3_asid.c). */
import { choice, explicit, integer, map, nothing, sequence, sequenceOf, type Type } from '../encoding/asn1-types.js'
import type { ResourceDefect } from './address-resources.js'

export interface AutonomousSystems {
  readonly numbers?: Held | undefined
  /** Routing domain identifiers, which nobody uses and OpenSSL checks alike. */
  readonly domains?: Held | undefined
}

type Held = 'inherited' | readonly NumberRange[]

interface NumberRange {
  readonly from: bigint
  readonly until: bigint
}

const number = map(integer, (content) => BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`)))

const numberOrRange = choice<NumberRange>(
  map(number, (only) => ({ from: only, until: only })),
  sequence(({ required }) => ({ from: required(number), until: required(number) })),
)

const held = choice<Held>(
  map(nothing, () => 'inherited'),
  sequenceOf(numberOrRange),
)

/** ASIdentifiers ::= SEQUENCE { asnum [0] EXPLICIT OPTIONAL, rdi [1] EXPLICIT OPTIONAL }. */
export const autonomousSystems: Type<AutonomousSystems> = sequence(({ optional }) => ({
  numbers: optional(explicit(0, held)),
  domains: optional(explicit(1, held)),
}))

/** X509v3_asid_validate_path, from the leaf up; `path` holds what each certificate says. Nothing is asked when the leaf has none. */
export function findNumberDefects(path: readonly (AutonomousSystems | undefined)[]): ResourceDefect[] {
  const [first, ...above] = path
  if (!first) return []
  const defects: ResourceDefect[] = []
  const add = (code: ResourceDefect['code'], depth: number) => defects.push({ code, depth })
  if (!isCanonical(first)) add('RESOURCES_MALFORMED', 0)

  const children = { numbers: first.numbers, domains: first.domains }
  for (const [index, parent] of above.entries()) {
    const depth = index + 1
    if (!parent) {
      if (isList(children.numbers) || isList(children.domains)) add('RESOURCES_NOT_HELD', depth)
      continue
    }
    if (!isCanonical(parent)) add('RESOURCES_MALFORMED', depth)
    for (const kind of ['numbers', 'domains'] as const) {
      const [child, offered] = [children[kind], parent[kind]]
      if (offered === undefined && isList(child)) {
        add('RESOURCES_NOT_HELD', depth)
        children[kind] = undefined
      } else if (isList(offered)) {
        if (!isList(child) || contains(offered, child)) children[kind] = offered
        else add('RESOURCES_NOT_HELD', depth)
      }
    }
  }
  const top = path[path.length - 1]
  for (const atTop of [top?.numbers, top?.domains]) {
    if (atTop === 'inherited') add('RESOURCES_NOT_HELD', path.length - 1)
  }
  return defects
}

function isList(list: Held | undefined): list is readonly NumberRange[] {
  return list !== undefined && list !== 'inherited'
}

function isCanonical({ numbers, domains }: AutonomousSystems): boolean {
  return [numbers, domains].every((list) => !isList(list) || isInOrder(list))
}

/** ASIdentifierChoice_is_canonical: ranges in order and apart from each other. */
function isInOrder(list: readonly NumberRange[]): boolean {
  return (
    list.length > 0 &&
    list.every((range, index) => {
      const next = list[index + 1]
      return range.from <= range.until && (!next || (range.from < next.from && range.until + 1n < next.from))
    })
  )
}

/** asid_contains: both lists in order. */
function contains(parent: readonly NumberRange[], child: readonly NumberRange[]): boolean {
  let place = 0
  for (const { from, until } of child) {
    while (place < parent.length && (parent[place]?.until ?? 0n) < until) place++
    const held = parent[place]
    if (!held || held.from > from) return false
  }
  return true
}
