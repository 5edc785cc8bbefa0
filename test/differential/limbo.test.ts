/** The public vectors of C2SP/x509-limbo: our answer is OpenSSL's on every one, and where that is not the vector's own, we say why. */
import { describe, expect, it } from 'vitest'
import { requirePart } from '../real-parts.js'
import { type Answer, describeAnswer } from './judge.js'
import { askOpenssl } from './judge-openssl.js'
import { askOurs } from './judge-ours.js'
import { type LimboCase, limboIsHere, readLimbo } from './limbo.js'

const ISSUING = 'a rule for those who issue certificates: OpenSSL asks for it with -x509_strict only'
const SELF_SIGNED = 'only a self-signed certificate ends a path'
const SECOND = 'the very second of notAfter is too late'
const COMMON_NAME = 'a common name beside alternative names is not looked at'
const SYNTAX = 'the syntax of a dNSName is not judged'
const SUFFIX = 'there is no list of public suffixes'

const differences: Readonly<Record<string, string>> = {
  'cve::cve-2024-0567': SELF_SIGNED,
  'rfc5280::root-and-intermediate-swapped': SELF_SIGNED,
  'rfc5280::validity::notafter-exact': SECOND,
  'rfc5280::validity::notafter-fractional': SECOND,
  'webpki::cn::punycode-not-in-san': COMMON_NAME,
  'webpki::cn::not-in-san': COMMON_NAME,
  'webpki::san::no-san': 'without a dNSName the common name counts',
  'webpki::san::wildcard-embedded-leftmost-san': 'a wildcard may stand for a part of the first label',
  'webpki::san::public-suffix-multi-label-wildcard-san': SUFFIX,
  'webpki::san::public-suffix-private-namespace-wildcard-san': SUFFIX,
  'rfc5280::nc::invalid-dnsname-leading-period': SYNTAX,
  'rfc5280::nc::nc-permits-invalid-dns-san': SYNTAX,
  'rfc5280::pc::ica-noncritical-pc': ISSUING,
  'rfc5280::ski::root-missing-ski': ISSUING,
  'rfc5280::root-missing-basic-constraints': ISSUING,
  'rfc5280::root-non-critical-basic-constraints': ISSUING,
  'rfc5280::leaf-ku-keycertsign': ISSUING,
  'webpki::aki::root-with-aki-missing-keyidentifier': ISSUING,
  'webpki::eku::ee-critical-eku': ISSUING,
  'webpki::nc::intermediate-permitted-excluded-subtrees-both-null': ISSUING,
  'webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-sequences': ISSUING,
  'webpki::v1-cert': ISSUING,
  'webpki::ee-basicconstraints-ca': ISSUING,
}

const why =
  requirePart('openssl') === undefined ? 'needs openssl' : limboIsHere() ? undefined : 'needs limbo-public.json.gz'

describe.skipIf(why !== undefined)(`x509-limbo${why ? ` (${why})` : ''}`, () => {
  const cases = why === undefined ? readLimbo(new Date()) : []
  const answers = new Map<string, { readonly openssl: Answer | undefined; readonly ours: Answer }>()

  it('our answer is that of openssl verify, verdict and text, on every vector', async () => {
    for (const { id, set } of cases) {
      if (set) answers.set(id, { openssl: await askOpenssl(set), ours: askOurs(set) })
    }
    const differing = [...answers].filter(
      ([, { openssl, ours }]) => openssl && describeAnswer(openssl) !== describeAnswer(ours),
    )
    expect(differing).toEqual([])
    expect(answers.size).toBe(99)
  })

  it('where it is not the vector’s own answer, the reason is known', () => {
    const unexpected = cases.filter((one) => !one.notApplicable && !agrees(one)).map(({ id }) => id)
    expect(unexpected.sort()).toEqual(Object.keys(differences).sort())
  })

  it('the score', () => {
    const applicable = cases.filter(({ notApplicable }) => notApplicable === undefined)
    const score = {
      vectors: cases.length,
      'asked of a pool': applicable.length,
      'answered as the vector says': applicable.filter(agrees).length,
      'answered otherwise, explained': Object.keys(differences).length,
    }
    console.table({ ...score, ...countBy(Object.values(differences)) })
    expect(score).toEqual({
      vectors: 99,
      'asked of a pool': 84,
      'answered as the vector says': 61,
      'answered otherwise, explained': 23,
    })
  })

  function agrees({ id, expectedAccepted }: LimboCase): boolean {
    return answers.get(id)?.ours.accepted === expectedAccepted
  }
})

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[`- ${word}`] = (counts[`- ${word}`] ?? 0) + 1
  return counts
}
