/** What the watch sends: names and texts of pools are the content of a message, and never part of how it is sent. */
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DatedEvent, letterbox, webhook } from '../../src/trust/index.js'
import { OWN_ADDRESS } from '../run-folder.js'

/** A mail server of one connection after the other: commands are lines, a letter ends with a dot. */
const received: { commands: string[]; letter: string }[] = []
const mail = createTcpServer((socket) => {
  const one = { commands: [] as string[], letter: '' }
  let [rest, isLetter] = ['', false]
  received.push(one)
  socket.on('error', () => {}).write('220 test\r\n')
  socket.setEncoding('utf8').on('data', (piece: string) => {
    const lines = `${rest}${piece}`.split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (isLetter && line !== '.') one.letter += `${line}\n`
      else if (isLetter) {
        isLetter = false
        socket.write('250 ok\r\n')
      } else {
        one.commands.push(line)
        isLetter = line === 'DATA'
        socket.write(isLetter ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n')
      }
    }
  })
})

interface Call {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: readonly string[]
  readonly body: string
}
const calls: Call[] = []
const web = createServer(async (request, response) => {
  let body = ''
  for await (const piece of request.setEncoding('utf8')) body += piece
  calls.push({ method: request.method, url: request.url, headers: Object.keys(request.headers).sort(), body })
  response.end()
})

const portOf = (server: typeof mail) => Number(Object(server.address()).port)
beforeAll(async () => {
  for (const server of [mail, web]) await new Promise((done) => server.listen(0, OWN_ADDRESS, () => done(undefined)))
})
afterAll(() => {
  mail.close()
  web.close()
})

const texts: [what: string, text: string][] = [
  ['a header behind a new line', 'x\r\nBcc: other@example.com'],
  ['a header behind a line feed', 'x\nBcc: other@example.com'],
  ['a header behind a carriage return', 'x\rBcc: other@example.com'],
  ['a body of its own', 'x\r\n\r\nPay here: https://evil.example.com/'],
  ['the end of the letter and a command', 'x\r\n.\r\nRCPT TO:<other@example.com>\r\n'],
  ['a line of a single dot', '.'],
  ['line separators of Unicode', 'x\u2028Bcc: other@example.com\u2029\u0085'],
  ['escape sequences and nothing at all', '\u001b[2J\u0000\u202e\ufeff'],
  ['an encoded word', '=?utf-8?q?x=0D=0ABcc:_other=40example.com?='],
  ['a long one', `${'x'.repeat(3000)}\r\nBcc: other@example.com`],
  ['half a character', '\ud800\r\nBcc: other@example.com'],
]

function eventOf(text: string): DatedEvent {
  return { code: 'VERIFICATION', kind: 'problem', pool: text, subject: text, text, at: '2026-03-01T00:00:00.000Z' }
}

it.each(texts)('a letter with %s', async (_, text) => {
  const smtp = { host: OWN_ADDRESS, port: portOf(mail) }
  await letterbox({ to: 'ops@example.com', from: 'wlb@example.com', smtp }).deliver([eventOf(text), eventOf('second')])
  const { commands = [], letter = '' } = received.at(-1) ?? {}
  expect(commands.filter((line) => !/^(EHLO |QUIT$)/.test(line))).toEqual([
    'MAIL FROM:<wlb@example.com>',
    'RCPT TO:<ops@example.com>',
    'DATA',
  ])
  const [head = '', ...body] = letter.split('\n\n')
  const names = head.split('\n').flatMap((line) => /^([^\s:]+):/.exec(line)?.[1] ?? [])
  expect(names.sort()).toEqual([
    ...['Content-Transfer-Encoding', 'Content-Type', 'Date', 'From', 'MIME-Version', 'Message-ID', 'Subject', 'To'],
  ])
  expect(head).not.toMatch(/[^\n\x20-\x7e]/)
  expect(head.replace(/^Subject:.*(\n[ \t].*)*/m, '')).not.toContain('other@example.com')
  const lines = decodeBody(head, body.join('\n\n')).trimEnd().split('\n')
  expect(lines.map((line) => line.slice(0, 33))).toEqual(Array(2).fill('2026-03-01T00:00:00.000Z problem '))
})

function decodeBody(head: string, body: string): string {
  if (/Transfer-Encoding: base64/i.test(head)) return Buffer.from(body, 'base64').toString('utf8')
  if (!/Transfer-Encoding: quoted-printable/i.test(head)) return body
  const bytes = body
    .replaceAll('=\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

it.each(texts)('a webhook with %s', async (_, text) => {
  const event = eventOf(text)
  await webhook(`http://${OWN_ADDRESS}:${portOf(web)}/hook`).deliver([event])
  const call = calls.at(-1)
  expect([call?.method, call?.url]).toEqual(['POST', '/hook'])
  expect(call?.headers).toEqual([
    ...['accept', 'accept-encoding', 'accept-language', 'connection', 'content-length', 'content-type', 'host'],
    ...['sec-fetch-mode', 'user-agent'],
  ])
  expect(JSON.parse(call?.body ?? '')).toEqual({ events: [event] })
})

const mailboxes: [address: string, outcome: string][] = [
  ['ops@example.com', 'taken'],
  ['first.last+wlb@mail.example.com', 'taken'],
  ['root@localhost', 'taken'],
  ['root', 'taken'],
  ['', 'USAGE_MAIL_ADDRESS'],
  ['ops@example.com\r\nBcc: other@example.com', 'USAGE_MAIL_ADDRESS'],
  ['ops@example.com, other@example.com', 'USAGE_MAIL_ADDRESS'],
  ['Ops <ops@example.com>', 'USAGE_MAIL_ADDRESS'],
  ['ops@example.com>\r\nDATA', 'USAGE_MAIL_ADDRESS'],
  ['"a b"@example.com', 'USAGE_MAIL_ADDRESS'],
  ['ops@\u202eexample.com', 'USAGE_MAIL_ADDRESS'],
]
it.each(mailboxes)('mail to, or from, %j: %s', (address, outcome) => {
  const smtp = { host: OWN_ADDRESS, port: 25 }
  for (const pair of [
    { to: address, from: 'wlb@example.com' },
    { to: 'ops@example.com', from: address },
  ])
    expect(outcomeOf(() => letterbox({ ...pair, smtp }))).toBe(outcome)
})

function outcomeOf(open: () => unknown): string {
  try {
    open()
    return 'taken'
  } catch (error) {
    return String(Object(error).code)
  }
}
