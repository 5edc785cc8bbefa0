/** Answers HTTP requests with JSON documents, from a table of routes: `METHOD /path/{parameter}`, its input, its function. */
import type { IncomingMessage, RequestListener } from 'node:http'
import { z } from 'zod'
import { WlbError } from '../base/error.js'

/** A route whose input has been checked by its schema before the function is called. */
export type Route = (given: unknown) => Checked
type Checked =
  | { readonly state: 'valid'; run(): Promise<unknown> }
  | { readonly state: 'invalid'; readonly why: string }

/** By request line, such as `DELETE /pools/{uuid}`; a parameter stands for one segment of the path. */
export type Routes = Readonly<Record<string, Route>>

const BODY_LIMIT_BYTES = 64 * 1024

export function route<Input>(input: z.ZodType<Input>, run: (input: Input) => Promise<unknown>): Route {
  return (given) => {
    const { data, error } = input.safeParse(given)
    return error ? { state: 'invalid', why: z.prettifyError(error) } : { state: 'valid', run: () => run(data) }
  }
}

/** A route without input. */
export function plainRoute(run: () => Promise<unknown>): Route {
  return route(z.strictObject({}), run)
}

/**
 * Answers 200 with the result; 404 with `{}` where no route fits; 400, 413 or 500 with `{why}`. The input is the members
 * of the request's JSON body, if it has one, and the parameters in the path.
 */
export function router(routes: Routes): RequestListener {
  const table = Object.entries(routes).map(([line, run]) => ({ pattern: patternOf(line), run }))
  return (request, response) => {
    const answer = (status: number, document: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(document))
    }
    const line = `${request.method} ${request.url}`
    const found = table.find(({ pattern }) => pattern.test(line))
    if (!found) return answer(404, {})
    const respond = async () => {
      const body = await readBody(request)
      if (body.state === 'too large') return answer(413, { why: `the body has more than ${BODY_LIMIT_BYTES} bytes` })
      if (body.state === 'no object') return answer(400, { why: 'the body is no JSON object' })
      const checked = found.run({ ...body.members, ...found.pattern.exec(line)?.groups })
      if (checked.state === 'invalid') return answer(400, { why: checked.why })
      answer(200, await checked.run())
    }
    respond().catch((error: unknown) => answer(500, { why: describeFailure(error) }))
  }
}

/** With the facts: the caller sees this text and nothing else of the error. */
function describeFailure(error: unknown): string {
  if (!(error instanceof WlbError)) return error instanceof Error ? error.message : String(error)
  const facts = Object.entries(error.facts).map(([name, value]) => `${name} ${value}`)
  return `${error.message} (${facts.join(', ')})`
}

function patternOf(line: string): RegExp {
  return new RegExp(`^${line.replace(/\{(\w+)\}/g, '(?<$1>[^/?]+)')}$`)
}

type Body =
  | { readonly state: 'members'; readonly members: Readonly<Record<string, unknown>> }
  | { readonly state: 'too large' }
  | { readonly state: 'no object' }

async function readBody(request: IncomingMessage): Promise<Body> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request) {
    bytes += piece.length
    if (bytes <= BODY_LIMIT_BYTES) pieces.push(piece)
  }
  if (bytes > BODY_LIMIT_BYTES) return { state: 'too large' }
  if (bytes === 0) return { state: 'members', members: {} }
  try {
    const members = z.record(z.string(), z.unknown()).safeParse(JSON.parse(Buffer.concat(pieces).toString('utf8')))
    return members.success ? { state: 'members', members: members.data } : { state: 'no object' }
  } catch {
    return { state: 'no object' }
  }
}
