/** Gets a path of a lab's host over TLS, as any HTTP client does. */
import { request } from 'node:https'
import type { TestPool } from '../test-pool.js'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

interface Asking {
  readonly accept?: string
  /** `name:password`; none: as nobody. */
  readonly as?: string
}

export function askHost(pool: TestPool, name: string, path: string, { accept, as }: Asking = {}): Promise<Answer> {
  const { address, tlsPort } = pool.host(name)
  const headers = { ...(accept !== undefined && { accept }), ...(as !== undefined && { authorization: basic(as) }) }
  const options = { host: address, port: tlsPort, path, headers, rejectUnauthorized: false, agent: false }
  return new Promise((resolve, reject) => {
    const sent = request(options, async (response) => {
      let body = ''
      for await (const piece of response.setEncoding('utf8')) body += piece
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
    })
    sent.on('error', reject)
    sent.end()
  })
}

function basic(nameAndPassword: string): string {
  return `Basic ${Buffer.from(nameAndPassword).toString('base64')}`
}

interface Updates {
  readonly meta: {
    readonly start: number
    readonly step: number
    readonly end: number
    readonly rows: number
    readonly columns: number
    readonly legend: readonly string[]
  }
  readonly data: readonly { readonly t: number; readonly values: readonly string[] }[]
}

/** Asks as root, and expects an answer in JSON. */
export async function updatesOf(pool: TestPool, host: string, query: string): Promise<Updates> {
  const as = `${pool.document.username}:${pool.document.password}`
  const { status, body } = await askHost(pool, host, `/rrd_updates?json=true&${query}`, { as })
  if (status !== 200) throw new Error(`${query}: ${status}`)
  return JSON.parse(body)
}

/** One column, the newest value first. */
export function column({ meta, data }: Updates, name: string): number[] {
  const index = meta.legend.findIndex((entry) => entry.endsWith(name))
  if (index < 0) throw new Error(`no ${name} among ${meta.legend.join(' ')}`)
  return data.map(({ values }) => Number(values[index]))
}
