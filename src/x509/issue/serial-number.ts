/** Serial numbers nobody can foresee, so that nobody can prepare a collision (RFC 5280, 4.1.2.2). */
import { randomBytes } from 'node:crypto'

/** Draws 126 random bits in 16 bytes, as hex: never zero, never negative, always of one length. */
export function createSerialNumber(): string {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial.toString('hex').toUpperCase()
}
