/** What a pool reads out of stunnel's log after a connection broke (docs/protocol/wlb.md, how failures are told apart). */
import { STUNNEL_INDICATORS, type TlsFailure } from './failure.js'

const CERTIFICATE_TEXT = 'CERT: '

/** Finds the first line that decides; what was said of certificates before it is the reason, newest first. */
export function scanStunnelLog(log: string): TlsFailure {
  const reasons: string[] = []
  for (const line of log.split('\n')) {
    const at = line.lastIndexOf(CERTIFICATE_TEXT)
    if (at >= 0) reasons.unshift(line.slice(at + CERTIFICATE_TEXT.length))
    if (line.includes('certificate verify failed')) return { kind: 'verify', reason: reasons.join(';') }
    const indicator = STUNNEL_INDICATORS.find((text) => line.includes(text))
    if (indicator) return { kind: 'stunnel', indicator }
  }
  return { kind: 'reset' }
}

/**
 * Leaves out what a pool never sees: it runs stunnel at level 5 (notice), we at 7 (debug), because only there
 * the log says when the handshake is over.
 */
export function keepNotices(log: string): string {
  return log
    .split('\n')
    .filter((line) => !/ LOG[67]\[/.test(line))
    .join('\n')
}

/** Tells from a log at level 7 whether the handshake is done and data may flow. */
export function saysConnected(log: string): boolean {
  return log.includes(': TLS connected: ')
}
