/** Where events go: a web address that is told of each round, a mailbox that gets a letter. Neither is told a secret. */
import { isIP } from 'node:net'
import { WlbError } from '../../error.js'
import type { DatedEvent } from './memory.js'

export interface Channel {
  /** Names its outbox. */
  readonly name: string
  /** All of them or none. @throws anything where they did not arrive */
  deliver(events: readonly DatedEvent[]): Promise<void>
}

const TIMEOUT_MS = 15_000

/**
 * A POST of `{"events":[...]}`; any status of 200 to 299 is a receipt.
 *
 * @throws USAGE_WEBHOOK where it is no https address, or http to this machine.
 */
export function webhook(url: string): Channel {
  const target = readUrl(url)
  return {
    name: `webhook ${target.origin}${target.pathname}`,
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
  const url = URL.canParse(text) ? new URL(text) : undefined
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? ''
  const isHere = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere)) return url
  throw new WlbError(
    'USAGE_WEBHOOK',
    'A webhook is an https address.',
    { given: text },
    'wlb watch --webhook https://HOST/PATH',
  )
}

export interface Letterbox {
  readonly to: string
  readonly from: string
  /** `HOST:PORT` of an SMTP server that takes mail from here; TLS is used where it offers it. */
  readonly smtp: { readonly host: string; readonly port: number }
}

export function letterbox({ to, from, smtp }: Letterbox): Channel {
  return {
    name: `mail ${to}`,
    deliver: async (events) => {
      const { createTransport } = await import('nodemailer')
      const limits = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS }
      const transport = createTransport({ ...smtp, ...limits, secure: smtp.port === 465 })
      try {
        await transport.sendMail({ to, from, subject: subjectOf(events), text: events.map(lineOf).join('\n') })
      } finally {
        transport.close()
      }
    },
  }
}

export function lineOf({ at, kind, pool, text }: DatedEvent): string {
  return `${at} ${kind.padEnd(7)} ${pool}: ${text}`
}

function subjectOf(events: readonly DatedEvent[]): string {
  const [first] = events
  const more = events.length > 1 ? ` (and ${events.length - 1} more)` : ''
  return first ? `OpenWLB: ${first.pool}: ${first.text}${more}` : 'OpenWLB'
}
