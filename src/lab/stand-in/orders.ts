/** What the stand-in's process is told: where to listen, as what, and to whom it passes everything on. */
import { z } from 'zod'

export const ordersSchema = z.object({
  address: z.string(),
  port: z.number(),
  transport: z.enum(['relay', 'silent', 'plain-http']),
  certificatePem: z.string(),
  privateKeyPem: z.string(),
  tls: z.object({
    versions: z.enum(['1.3-alone', '1.1-at-most']).optional(),
    suites: z.literal('none-of-a-pool').optional(),
    curves: z.literal('none-of-a-pool').optional(),
    clientCertificate: z.literal('demanded').optional(),
  }),
  /** The appliance's listener, set aside, and the certificates it may show. */
  appliance: z.object({ address: z.string(), port: z.number(), fingerprintsSha256: z.array(z.string()) }),
})

export type StandInOrders = Readonly<z.infer<typeof ordersSchema>>
