/** What can be wrong at the appliance's address. Several defects can be combined. */
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
    /** The issuer of the leaf, if not the root that the pool trusts. */
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
  /**
   * The appliance's own files: the pair that is served, a faultless one that is not served yet, or the pair from
   * before.
   */
  files: z.enum(['served', 'renewed', 'before']),
  /** A defect of those files; the appliance was not restarted since. */
  broken: z.enum(['root-first', 'joined', 'other-key', 'encrypted-key', 'readable-key']).optional(),
})

export type Behaviour = Readonly<z.infer<typeof behaviourSchema>>
export type LeafTwist = Behaviour['leaf']
export type ChainTwist = Behaviour['chain']
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

/** Tells whether the stand-in needs a certificate of its own, now or once its port is open again. */
export function showsCertificate({ leaf, chain, transport, broken }: Behaviour): boolean {
  return transport === 'relay' || broken !== undefined || Object.keys(leaf).length + Object.keys(chain).length > 0
}
