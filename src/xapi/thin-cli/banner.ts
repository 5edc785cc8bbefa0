/** How both sides of a thin CLI connection introduce themselves (docs/protocol/thin-cli.md, opening). */

export interface ProtocolVersion {
  readonly major: number
  readonly minor: number
}

/** What we speak; majors must agree, and from 0.2 on the other side understands heartbeats. */
export const PROTOCOL_VERSION: ProtocolVersion = { major: 0, minor: 2 }

const GREETING = 'XenSource thin CLI protocol'
export const BANNER_BYTES = GREETING.length + 8

export function encodeBanner(version: ProtocolVersion): Buffer {
  const bytes = Buffer.alloc(BANNER_BYTES)
  bytes.write(GREETING, 'latin1')
  bytes.writeInt32LE(version.major, GREETING.length)
  bytes.writeInt32LE(version.minor, GREETING.length + 4)
  return bytes
}

/** The 35 bytes either side sends first. */
export const BANNER: Buffer = encodeBanner(PROTOCOL_VERSION)

/** Reads exactly 35 bytes; undefined when they are not a banner. */
export function decodeBanner(bytes: Buffer): ProtocolVersion | undefined {
  if (bytes.length !== BANNER_BYTES || bytes.toString('latin1', 0, GREETING.length) !== GREETING) return undefined
  return { major: bytes.readInt32LE(GREETING.length), minor: bytes.readInt32LE(GREETING.length + 4) }
}

/** Whether more bytes after `start` (as latin1) may still make a banner of it. */
export function couldBeBanner(start: string): boolean {
  return GREETING.startsWith(start.slice(0, GREETING.length))
}
