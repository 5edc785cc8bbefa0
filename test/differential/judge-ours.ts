/** Our own verdict, from the same bytes. */
import { loadHostStore, validate } from '../../src/x509/index.js'
import { type Answer, type JudgedSet, refused } from './judge.js'

export function askOurs({ sent, bundle, crlFiles, name, clock }: JudgedSet): Answer {
  const files = Object.values(crlFiles)
  const store = loadHostStore(bundle, files.length > 0 ? files : undefined)
  if (store.state === 'unusable') return refused('Configuration failed')
  const { anchors, crls } = store
  const { accepted, reason } = validate({ presented: sent, anchors, crls, name, now: clock ?? new Date() })
  return { accepted, reason }
}
