/** What can be wrong with what a pool meets at the appliance's address, so that several things can be wrong at once. */
import { z } from 'zod'

const leafSchema = z
  .object({
    dates: z.enum(['expired', 'not-yet']),
    names: z.enum([
      'other-common-name',
      'other-alternative-name',
      'wildcard-too-high',
      'other-machine',
      'address-as-name',
      'wildcard',
    ]),
    key: z.enum(['rsa-1024', 'ec']),
    digest: z.literal('SHA-1'),
    purpose: z.literal('client'),
    usage: z.literal('certificate-signing'),
    revoked: z.literal(true),
  })
  .partial()

const chainSchema = z
  .object({
    /** Who vouches for the leaf, if not the root that the pool was given. */
    issuer: z.enum(['stranger', 'rekeyed', 'middlebox', 'itself', 'itself-again', 'itself-installed']),
    dates: z.literal('expired'),
    key: z.literal('rsa-1024'),
    usage: z.literal('no-certificate-signing'),
    authority: z.literal('none'),
    depth: z.literal('too-deep'),
    names: z.literal('other-domain'),
    sent: z.enum(['leaf-alone', 'root-in-the-middle']),
  })
  .partial()

const tlsSchema = z
  .object({
    versions: z.enum(['1.3-alone', '1.1-at-most']),
    suites: z.literal('none-of-a-pool'),
    curves: z.literal('none-of-a-pool'),
    clientCertificate: z.literal('demanded'),
  })
  .partial()

export const behaviourSchema = z.object({
  leaf: leafSchema,
  /** Of the authorities between leaf and root, and of how the chain is sent. */
  chain: chainSchema,
  tls: tlsSchema,
  transport: z.enum(['relay', 'closed', 'silent', 'plain-http']),
  /** The appliance's own files: the pair that is served, a better one nobody serves yet, or the pair from before. */
  files: z.enum(['served', 'renewed', 'before']),
  /** How those files are put together wrongly; nobody has started the appliance since. */
  broken: z.enum(['root-first', 'joined', 'other-key', 'encrypted-key', 'readable-key']).optional(),
})

export type Behaviour = Readonly<z.infer<typeof behaviourSchema>>
export type LeafTwist = Behaviour['leaf']
export type ChainTwist = Behaviour['chain']
export type TlsTwist = Behaviour['tls']
export type Twist = Partial<Behaviour>

export const FAULTLESS: Behaviour = { leaf: {}, chain: {}, tls: {}, transport: 'relay', files: 'served' }

/** Adds a twist; where two contradict each other the later one counts. */
export function twistBehaviour(before: Behaviour, twist: Twist): Behaviour {
  return {
    ...before,
    ...twist,
    leaf: { ...before.leaf, ...twist.leaf },
    chain: { ...before.chain, ...twist.chain },
    tls: { ...before.tls, ...twist.tls },
  }
}

/** Tells whether a certificate of the stand-in's own is to be shown, now or as soon as somebody listens again. */
export function showsCertificate({ leaf, chain, transport, broken }: Behaviour): boolean {
  return transport === 'relay' || broken !== undefined || Object.keys(leaf).length + Object.keys(chain).length > 0
}
