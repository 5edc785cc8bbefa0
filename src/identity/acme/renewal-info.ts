/** When an authority itself wishes a certificate to be renewed (RFC 9773): early before it revokes it, or away from a rush hour. */
import { createHash, type X509Certificate } from 'node:crypto'
import { z } from 'zod'
import type { AcmeSettings } from '../../config/index.js'
import { readIssuerKeyId } from '../../x509/index.js'
import { withAuthorityWire } from './authority.js'
import { readDirectory } from './directory.js'
import { readDocument } from './wire.js'

/** The name of a certificate there (RFC 9773, 4.1); undefined where it carries no identifier of its issuer's key. */
export function renewalId(certificate: X509Certificate): string | undefined {
  const keyId = readIssuerKeyId(certificate)
  return keyId && joinRenewalId(keyId, certificate.serialNumber)
}

/** Undefined where the serial number is negative: no authority that follows RFC 5280 gives one. */
export function joinRenewalId(keyId: Buffer, serialNumber: string): string | undefined {
  const hex = serialNumber.length % 2 === 0 ? serialNumber : `0${serialNumber}`
  if (!/^([0-9A-F]{2})+$/.test(hex)) return undefined
  // the contents of a DER INTEGER: a leading zero where the first bit is set
  const serial = Buffer.from(Number.parseInt(hex.slice(0, 2), 16) >= 0x80 ? `00${hex}` : hex, 'hex')
  return `${keyId.toString('base64url')}.${serial.toString('base64url')}`
}

export const RENEWAL_ADVICE = z.object({
  /** Of the certificate, as `renewalId` spells it. */
  id: z.string(),
  /** Null where the authority says nothing of use. */
  window: z.object({ start: z.iso.datetime(), end: z.iso.datetime(), explanation: z.string().optional() }).nullable(),
  askAgainAt: z.iso.datetime(),
})
export type RenewalAdvice = Readonly<z.infer<typeof RENEWAL_ADVICE>>

const ANSWER = z.object({
  suggestedWindow: z.object({
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
  explanationURL: z.string().optional().catch(undefined),
})

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const USUAL_PAUSE_MS = 6 * HOUR_MS

/** RFC 9773, 4.3.2: what an authority asks for is kept to between a minute and a day. */
export function pauseBeforeNextQuestionMs(retryAfterSeconds: number | undefined): number {
  return retryAfterSeconds === undefined ? USUAL_PAUSE_MS : Math.min(Math.max(retryAfterSeconds * 1000, 60_000), DAY_MS)
}

/** Also where the clock was set back since it was asked. */
export function isQuestionDue({ askAgainAt }: RenewalAdvice, now: Date): boolean {
  const leftMs = Date.parse(askAgainAt) - now.getTime()
  return leftMs <= 0 || leftMs > DAY_MS
}

/** After a question that was not answered. */
export function askAgainLater(id: string, before: RenewalAdvice | undefined, now: Date): RenewalAdvice {
  const askAgainAt = new Date(now.getTime() + USUAL_PAUSE_MS).toISOString()
  return { id, window: before?.window ?? null, askAgainAt }
}

/**
 * Asks the authority. It is asked again later where it cannot be reached or has no such service: nothing here is needed for a
 * renewal.
 *
 * @throws what reading the directory throws.
 */
export async function askRenewalInfo(
  settings: AcmeSettings,
  id: string,
  { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
): Promise<RenewalAdvice> {
  return withAuthorityWire({ settings, signal }, async (wire) => {
    const { renewalInfo } = await readDirectory(wire, settings.directory)
    const document = renewalInfo && (await readDocument(wire, `${renewalInfo.replace(/\/$/, '')}/${id}`))
    const { data } = ANSWER.safeParse(document)
    const askAgainAt = new Date(now.getTime() + pauseBeforeNextQuestionMs(wire.retryAfterSeconds)).toISOString()
    if (!data) return { id, window: null, askAgainAt }
    const { start, end } = data.suggestedWindow
    return {
      id,
      window: {
        start: new Date(start).toISOString(),
        end: new Date(end).toISOString(),
        explanation: data.explanationURL,
      },
      askAgainAt,
    }
  })
}

/**
 * A moment in the window (RFC 9773, 4.2). It is always the same one for a certificate, and spread evenly over certificates.
 * Undefined where the window cannot be meant: it ends before it starts, or after the certificate.
 */
export function momentIn(advice: RenewalAdvice | undefined, notAfter: Date): Date | undefined {
  if (!advice?.window) return undefined
  const [start, end] = [Date.parse(advice.window.start), Date.parse(advice.window.end)]
  if (end <= start || end > notAfter.getTime()) return undefined
  const part = createHash('sha256').update(advice.id).digest().readUInt32BE(0) / 2 ** 32
  return new Date(start + (end - start) * part)
}
