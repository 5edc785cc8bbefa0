/** `wlb cert history`: every identity that was in place here, the newest first. */
import { type KeptIdentity, listIdentities } from '../../identity/index.js'
import { daysFrom, inRoot, printJson, renderFacts } from '../print.js'

export async function certHistory(root: string, json = false): Promise<void> {
  const kept = await listIdentities(root)
  if (json) printJson({ identities: kept.map(documentOf) })
  else process.stdout.write(`${describe(kept, new Date(), root)}\n`)
}

function documentOf({ sequence: _, isInPlace, isOriginal, replacedAt, ...rest }: KeptIdentity) {
  return { ...rest, replacedAt: isInPlace ? null : replacedAt, inPlace: isInPlace, original: isOriginal }
}

function describe(kept: readonly KeptIdentity[], now: Date, root: string): string {
  if (kept.length === 0) return 'No certificate was ever in place here.'
  const hasEarlier = kept.some(({ isInPlace, fault }) => !isInPlace && fault === null)
  return [
    ...kept.map((one) => describeOne(one, now)),
    ...(hasEarlier ? [`Go back to one:  ${inRoot('wlb cert rollback ID', root)}`] : []),
  ].join('\n\n')
}

const SOURCES: Readonly<Record<KeptIdentity['how'], string>> = {
  setup: 'made by the set-up',
  install: 'installed',
  acme: 'from an ACME authority',
  'self-signed': 'self-signed anew',
  rollback: 'gone back to',
  found: 'put there by hand',
}

function describeOne(one: KeptIdentity, now: Date): string {
  const { id, how, installedAt, replacedAt, isInPlace, isOriginal, fault, subject, fingerprintSha256, notAfter } = one
  const until = isInPlace ? 'IN PLACE' : `until ${replacedAt ?? 'somebody took it away'}`
  const facts = [
    ['from', `${installedAt}, ${SOURCES[how]}`],
    ['subject', subject],
    ['valid until', notAfter && `${notAfter} (${daysFrom(now, new Date(notAfter))})`],
    ['SHA-256', fingerprintSha256],
    ['UNUSABLE', fault],
  ] as const
  const known = facts.flatMap(([label, value]): [string, string][] => (value ? [[label, value]] : []))
  return `${id}  ${until}${isOriginal ? ', kept as server.pem_orig' : ''}\n${renderFacts(known).replace(/^/gm, '  ')}`
}
