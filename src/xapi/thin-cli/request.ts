/** The HTTP request that opens a thin CLI conversation (docs/protocol/thin-cli.md, opening). */

export interface CliRequest {
  /** One a line; the server splits at newlines, so one inside an argument makes two of it. */
  readonly args: readonly string[]
  readonly traceparent?: string | undefined
  readonly baggage?: string | undefined
}

/** Writes head and body. The server never answers with HTTP when all is well: its banner comes next. */
export function encodeCliRequest({ args, traceparent, baggage }: CliRequest): Buffer {
  const body = Buffer.from(args.join('\n'))
  const head = [
    'POST /cli HTTP/1.0',
    'User-agent: xe-cli/Unix/0.2',
    'originator: cli',
    ...(traceparent ? [`traceparent: ${oneLine(traceparent)}`] : []),
    ...(baggage ? [`baggage: ${oneLine(baggage)}`] : []),
    `content-length: ${body.length}`,
    '',
    '',
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), body])
}

/** A header's value with a line break in it would be another header. */
function oneLine(value: string): string {
  return value.replace(/[\r\n]/g, ' ')
}
