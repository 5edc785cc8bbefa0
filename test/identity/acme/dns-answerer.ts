/** The DNS of a test: every name leads to this machine, and TXT records are those of a file, `NAME VALUE` a line. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { OWN_ADDRESS } from '../../run-folder.js'

export interface DnsAnswerer {
  readonly port: number
  close(): void
}

const TYPE = { a: 1, txt: 16 } as const

export async function startDns(recordsFile: string): Promise<DnsAnswerer> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => socket.send(answer(query, recordsFile), port, address))
  socket.bind(0, OWN_ADDRESS)
  await once(socket, 'listening')
  return { port: socket.address().port, close: () => socket.close() }
}

/** Header, question, answers (RFC 1035, 4.1); other types have none. */
function answer(query: Buffer, recordsFile: string): Buffer {
  let end = 12
  const labels: string[] = []
  for (let length = query[end] ?? 0; length > 0; length = query[end] ?? 0) {
    labels.push(query.toString('latin1', end + 1, end + 1 + length))
    end += length + 1
  }
  const type = query.readUInt16BE(end + 1)
  const question = query.subarray(12, end + 5)
  const found: Buffer[] = type === TYPE.a ? [Buffer.from(OWN_ADDRESS.split('.').map(Number))] : []
  if (type === TYPE.txt) found.push(...readTexts(recordsFile, labels.join('.').toLowerCase()))
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8580, 2) // an answer, with authority, recursion at hand
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(found.length, 6)
  return Buffer.concat([header, question, ...found.map((content) => record(type, content))])
}

function record(type: number, content: Buffer): Buffer {
  const fixed = Buffer.from([0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 0, 0, content.length])
  return Buffer.concat([fixed, content])
}

function readTexts(file: string, name: string): Buffer[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  return lines.flatMap((line) => {
    const [of, value = ''] = line.split(' ')
    return of === name ? [Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])] : []
  })
}
