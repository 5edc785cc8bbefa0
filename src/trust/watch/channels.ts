/** Where events are delivered: a webhook or a mailbox. Events hold no secrets. */

import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { visibleLine } from '../../base/text/printable.js'
import { readWebhookAddress } from '../../config/index.js'
import type { WlbAddress } from '../../xapi/index.js'
import { fail } from '../errors.js'
import type { DatedEvent } from './memory.js'

export interface Channel {
  /** For people; what in an address may be a secret is left out. */
  readonly name: string
  /** Identifies its outbox. */
  readonly key: string
  /** All of them or none. @throws anything where they did not arrive */
  deliver(events: readonly DatedEvent[]): Promise<void>
}

const TIMEOUT_MS = 15_000

/** As given on the command line or in the settings. */
export interface ChannelChoices {
  readonly webhook?: string | undefined
  readonly mailTo?: string | undefined
  readonly mailFrom?: string | undefined
  readonly smtp?: WlbAddress | undefined
}

/** @throws USAGE_WEBHOOK, USAGE_MAIL_ADDRESS */
export function openChannels({ webhook: url, mailTo, mailFrom, smtp }: ChannelChoices): readonly Channel[] {
  const server = smtp ?? { host: '127.0.0.1', port: 25 }
  return [
    ...(url === undefined ? [] : [webhook(url)]),
    ...(mailTo === undefined ? [] : [letterbox({ to: mailTo, from: mailFrom ?? mailTo, smtp: server })]),
  ]
}

/**
 * A POST of `{"events":[...]}`; any status of 200 to 299 is a receipt.
 *
 * @throws USAGE_WEBHOOK where it is no https address, or http to this machine.
 */
export function webhook(url: string): Channel {
  const target = readUrl(url)
  return {
    name: `webhook ${target.origin}`,
    key: keyOf('webhook', target.href),
    deliver: async (events) => {
      const answer = await fetch(target, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'User-Agent': 'OpenWLB' },
        body: JSON.stringify({ events }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      await answer.body?.cancel()
      if (!answer.ok) throw new Error(`it answered ${answer.status}`)
    },
  }
}

function readUrl(text: string): URL {
  const url = readWebhookAddress(text)
  if (url) return url
  const given = URL.canParse(text) ? `${new URL(text).protocol}//${new URL(text).host}` : text
  throw fail('USAGE_WEBHOOK', { given })
}

export interface Letterbox {
  readonly to: string
  readonly from: string
  /** `HOST:PORT` of an SMTP server that takes mail from here; TLS is used where it offers it. */
  readonly smtp: { readonly host: string; readonly port: number }
}

/** One mailbox, also of this machine; nothing that a header of a mail gives a meaning (RFC 5322, 3.4.1, without quotes). */
const MAILBOX = /^[\w!#$%&'*+/=?^`{|}~.-]+(@[\w.-]+)?$/

/** @throws USAGE_MAIL_ADDRESS */
export function letterbox({ to, from, smtp }: Letterbox): Channel {
  const odd = [to, from].find((address) => !MAILBOX.test(address))
  if (odd !== undefined) throw fail('USAGE_MAIL_ADDRESS', { given: odd })
  return {
    name: `mail ${to}`,
    key: keyOf('mail', `${to} ${smtp.host} ${smtp.port}`),
    deliver: async (events) => {
      const { createTransport } = await import('nodemailer')
      const limits = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS }
      // a mail server of this machine shows a self-signed certificate, and its traffic does not leave the machine
      const ignoreTLS = isIP(smtp.host) === 4 ? smtp.host.startsWith('127.') : /^(localhost|::1)$/.test(smtp.host)
      const transport = createTransport({ ...smtp, ...limits, ignoreTLS, secure: smtp.port === 465 })
      try {
        await transport.sendMail({ to, from, subject: subjectOf(events), text: events.map(lineOf).join('\n') })
      } finally {
        transport.close()
      }
    },
  }
}

function keyOf(kind: string, address: string): string {
  return `${kind} ${createHash('sha256').update(address).digest('hex').slice(0, 16)}`
}

/** Names the state folder of a set of channels: events delivered to one set are still new to another. */
export function audienceOf(channels: readonly Channel[]): string {
  if (channels.length === 0) return 'screen'
  const keys = channels.map(({ key }) => key).sort()
  return createHash('sha256').update(keys.join()).digest('hex').slice(0, 16)
}

export function lineOf({ at, kind, pool, text }: DatedEvent): string {
  return visibleLine(`${at} ${kind.padEnd(7)} ${pool}: ${text}`)
}

/** The worst comes first: a mailbox shows the subject alone. */
function subjectOf(events: readonly DatedEvent[]): string {
  const [worst] = [...events].sort((one, other) => weightOf(one) - weightOf(other))
  const more = events.length > 1 ? ` (and ${events.length - 1} more)` : ''
  return worst ? visibleLine(`OpenWLB: ${worst.pool}: ${worst.text}${more}`) : 'OpenWLB'
}

function weightOf({ kind, code }: DatedEvent): number {
  if (kind === 'problem') return 0
  if (code === 'EXPIRY' || code === 'RENEWAL_HELD_BACK') return 1
  return kind === 'mended' ? 2 : 3
}

/** One message to each channel that says it is a test; undefined where it arrived, else why it did not. */
export async function deliverTest(
  channels: readonly Channel[],
  now: Date,
): Promise<readonly { readonly channel: string; readonly failure: string | undefined }[]> {
  const text = 'This is a test message of wlb watch; nothing has happened.'
  const event = { code: 'TEST', kind: 'notice', pool: 'test', subject: '', text, at: now.toISOString() } as const
  return Promise.all(
    channels.map(async (channel) => {
      const failure = await channel.deliver([event]).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      return { channel: channel.name, failure }
    }),
  )
}
