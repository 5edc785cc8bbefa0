/** The public path-validation vectors of C2SP/x509-limbo, as sets our judges can be asked about. */
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import type { JudgedSet } from './judge.js'

/** Beside the repository: it is not part of it. */
const FILE = new URL('../../../shared/data/limbo-public.json.gz', import.meta.url)

const caseShape = z.object({
  id: z.string(),
  validation_kind: z.enum(['SERVER', 'CLIENT']),
  trusted_certs: z.array(z.string()),
  untrusted_intermediates: z.array(z.string()),
  peer_certificate: z.string(),
  validation_time: z.string().nullable(),
  expected_result: z.enum(['SUCCESS', 'FAILURE']),
  expected_peer_name: z.object({ kind: z.string(), value: z.string() }).nullable(),
  max_chain_depth: z.number().nullable(),
  crls: z.array(z.string()),
})

export interface LimboCase {
  readonly id: string
  /** Why a pool cannot be asked this question at all. */
  readonly notApplicable: string | undefined
  readonly set: JudgedSet | undefined
  readonly expectedAccepted: boolean
}

export const limboIsHere = (): boolean => existsSync(FILE)

/** `now` stands in where a case says nothing about time: its certificates last for decades. */
export function readLimbo(now: Date): LimboCase[] {
  const { testcases } = z
    .object({ testcases: z.array(caseShape) })
    .parse(JSON.parse(gunzipSync(readFileSync(FILE)).toString()))
  return testcases.map((given) => {
    const set = makeSet(given, now)
    return {
      id: given.id,
      notApplicable: set ? whyNotApplicable(given) : 'a certificate that OpenSSL does not parse',
      set,
      expectedAccepted: given.expected_result === 'SUCCESS',
    }
  })
}

function whyNotApplicable(given: z.infer<typeof caseShape>): string | undefined {
  if (given.validation_kind === 'CLIENT') return 'about a client'
  if (given.max_chain_depth !== null) return 'a limit of the path length that pools do not set'
  if (given.expected_peer_name?.kind === 'IP') return 'an IP address, which pools compare as a name'
  return undefined
}

function makeSet(given: z.infer<typeof caseShape>, now: Date): JudgedSet | undefined {
  try {
    const sent = [given.peer_certificate, ...given.untrusted_intermediates].map((pem) => new X509Certificate(pem))
    return {
      sent,
      leafKeyPem: '',
      bundle: Buffer.from(given.trusted_certs.map((pem) => `${pem.trim()}\n`).join('')),
      crlFiles: Object.fromEntries(given.crls.map((pem, index) => [`${index}.pem`, pem])),
      name: given.expected_peer_name?.value ?? '',
      clock: given.validation_time === null ? wholeSecond(now) : wholeSecond(new Date(given.validation_time)),
    }
  } catch {
    return undefined
  }
}

/** OpenSSL's clock has no fractions. */
function wholeSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000)
}
