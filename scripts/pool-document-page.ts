/** docs/pool-document.md: every key of `openwlb-pool/1` with its type, default and meaning, from the schema that reads it. */
import { z } from 'zod'
import { LIMITS, poolDocument } from '../src/balance/document/pool-document.js'

/** What of a JSON schema is printed; zod writes more. */
interface Shape {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly anyOf?: readonly Shape[]
  readonly items?: Shape
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly default?: unknown
  readonly description?: string
}
const shape: z.ZodType<Shape> = z.lazy(() =>
  z.object({
    type: z
      .union([z.string(), z.tuple([z.string()], z.string()).transform(([type]) => type)]) // ["boolean", "null"]
      .optional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    format: z.string().optional(),
    anyOf: z.array(shape).optional(),
    items: shape.optional(),
    properties: z.record(z.string(), shape).optional(),
    required: z.array(z.string()).optional(),
    default: z.unknown().optional(),
    description: z.string().optional(),
  }),
)

const INTRODUCTION = `# The pool document, \`openwlb-pool/1\`

One JSON document holds all that advice depends on: hosts, VMs, their load over time, rules and settings. \`wlb balance\` reads it
(\`--pool-file FILE\`, or \`-\` for standard input; with \`plan --stream\` one document a line). How advice is made from it:
[balance.md](balance.md).

- Keys that are not listed here are kept and ignored. A key whose value is null counts as missing, except \`host\` of a VM and
  samples, where null has a meaning.
- A host or VM is named by its \`uuid\`, which may be any text in a document written by hand.
- **Series** hold numbers and nulls, oldest first; the last sample ends at \`at\`, whatever the length. Null is unknown, and so is what
  cannot be: a negative number, or more than any machine has. Unknown is not zero: a gap counts as the mean of the VM, and a VM
  without any sample is as busy for each vCPU as the others of the pool. A VM without a CPU sample in the last 15 minutes is not
  moved because of load, and its host receives nothing because of load.
- A document is refused before any work when it is larger than ${LIMITS.documentBytes / 2 ** 20} MiB, has more than ${LIMITS.hosts} hosts, ${LIMITS.vms} VMs or ${LIMITS.rules} rules,
  or a series of more than ${LIMITS.samples} samples. Every problem is named with its place, as in \`vms[3].host\`.

A small one:

\`\`\`json
{
  "format": "openwlb-pool/1",
  "at": "2026-03-01T12:00:00Z",
  "pool": { "uuid": "pool", "coordinator": "h1" },
  "hosts": [
    { "uuid": "h1", "cpus": 8, "memoryBytes": 34359738368 },
    { "uuid": "h2", "cpus": 8, "memoryBytes": 34359738368 }
  ],
  "vms": [
    { "uuid": "web", "host": "h1", "vcpus": 4, "memoryFloorBytes": 4294967296, "demand": { "cpu": [3.5, 3.6, 3.9] } },
    { "uuid": "db", "host": "h1", "vcpus": 4, "memoryFloorBytes": 8589934592, "demand": { "cpu": [3.1, 3.8, 3.9] } }
  ],
  "rules": [{ "kind": "apart", "vms": ["web", "db"] }]
}
\`\`\`

This page is printed from the schema (\`npm run docs\`).
`

export function renderPoolDocument(): string {
  const schema = shape.parse(z.toJSONSchema(poolDocument, { io: 'input', unrepresentable: 'any' }))
  return `${INTRODUCTION}\n${[...sections('The document', schema)].join('\n')}`
}

/** A table for an object, then one for each object in it. */
function* sections(title: string, { properties = {}, required = [] }: Shape): Iterable<string> {
  const rows = Object.entries(properties).map(
    ([key, value]) =>
      `| \`${key}\` | ${typeOf(value)} | ${defaultOf(value, required.includes(key))} | ${value.description ?? ''} |`,
  )
  yield [`## ${title}`, '', '| key | type | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n')
  for (const [key, value] of Object.entries(properties)) {
    const inner = objectIn(value)
    if (inner) yield* sections(title === 'The document' ? `\`${key}\`` : `${title.slice(0, -1)}.${key}\``, inner)
  }
}

function objectIn(value: Shape): Shape | undefined {
  const candidates = [value, value.items, ...(value.anyOf ?? [])]
  return candidates.find((one) => one?.properties !== undefined)
}

function typeOf(value: Shape): string {
  if (value.const !== undefined) return `\`${JSON.stringify(value.const)}\``
  if (value.enum) return value.enum.map((one) => `\`${String(one)}\``).join(', ')
  if (value.format === 'date-time') return 'time, ISO 8601 with a zone'
  if (value.anyOf) return [...new Set(value.anyOf.filter(({ type }) => type !== 'null').map(typeOf))].join(' or ')
  if (value.items) return `list of ${typeOf(value.items)}`
  return (
    { string: 'text', integer: 'whole number', boolean: 'true, false', object: 'object' }[value.type ?? ''] ??
    value.type ??
    'series'
  )
}

function defaultOf(value: Shape, isRequired: boolean): string {
  if (isRequired) return 'required'
  return value.default === undefined ? '' : `\`${JSON.stringify(value.default)}\``
}
