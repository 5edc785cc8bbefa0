/** Our own verdict, from the same bytes. */
import { loadBundle, validate } from '../../src/x509/index.js'
import { type Answer, type JudgedSet, refused } from './judge.js'

export function askOurs({ sent, bundle, crlFiles, name, clock }: JudgedSet): Answer {
  const loaded = loadBundle(bundle)
  if (loaded.state === 'unusable') return refused('Configuration failed')
  const crls = Object.values(crlFiles)
  const { accepted, reason } = validate({
    presented: sent,
    anchors: loaded.anchors,
    crls: crls.length > 0 ? crls : undefined,
    name,
    now: clock ?? new Date(),
  })
  return { accepted, reason }
}
