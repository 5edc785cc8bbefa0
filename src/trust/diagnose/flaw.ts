/** One thing a host would refuse a certificate for, on its way to becoming a finding. */
import type { X509Certificate } from 'node:crypto'
import type { PoolVerdict } from '../../tls/index.js'
import { DEFECTS } from '../../x509/index.js'
import type { HostResult, View } from './evidence/view.js'

/** A defect as a host named it, or as it was found here: then the certificate is known. */
export interface Flaw {
  readonly code: string
  readonly depth: number | undefined
  readonly certificate: X509Certificate | undefined
  /** Found here: what was found, in a sentence. */
  readonly message: string
  /** It lies in the trust store, not in what the server sent. */
  readonly fromStore: boolean
  /** The hosts that are meant; all of them where empty. */
  readonly results: readonly HostResult[]
  readonly verdict: PoolVerdict | undefined
}

/** The hosts a flaw is about, by name: none where it is everybody's. */
export function hostsOf({ results }: View, flaw: Flaw): readonly string[] {
  return flaw.results.length === results.length ? [] : flaw.results.map(({ host }) => host.name)
}

/** `xs1 and xs2 said ...`, or what was found here. */
export function quoteHosts({ results }: Flaw): string {
  const [first] = results
  if (!first) return ''
  return `${results.map(({ host }) => host.name).join(', ')} said ${first.error.join(': ')}`
}

/** The error of the pool, should this be what it meets first. */
export function errorOf(code: string): readonly string[] {
  if (code === 'LEAF_WANTED') return ['SSL_VERIFY_ERROR', 'Certificate not found in local repository']
  if (code === 'NAME_MISMATCH') return ['SSL_VERIFY_ERROR', 'Subject checks failed']
  const text = Object.entries(DEFECTS).find(([name]) => name === code)?.[1].text ?? ''
  return ['SSL_VERIFY_ERROR', `Pre-verification error: ${text}`]
}
