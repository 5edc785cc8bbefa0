/** Formats subjects, dates, lists and errors for the text of findings. */
import type { X509Certificate } from 'node:crypto'
import { describeCertificate } from '../../x509/index.js'

const DAY_MS = 86_400_000

export function subjectOf(certificate: X509Certificate): string {
  return describeCertificate(certificate).subject || 'a certificate without a name'
}

/** `2026-03-01T00:00:00Z (4 days ago)`. */
export function whenOf(date: Date, now: Date): string {
  const days = Math.floor((date.getTime() - now.getTime()) / DAY_MS)
  const count = Math.abs(days) === 1 ? '1 day' : `${Math.abs(days)} days`
  const distance = days === 0 ? 'today' : days > 0 ? `in ${count}` : `${count} ago`
  return `${date.toISOString().replace('.000Z', 'Z')} (${distance})`
}

export function daysBetween(from: Date, to: Date): number {
  return Math.floor((to.getTime() - from.getTime()) / DAY_MS)
}

/** `3 h 2 min`, `75 s`. */
export function spanOf(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} days`
}

/** `a`, `a and b`, `a, b and c`. */
export function listOf(words: readonly string[]): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

const FEW = 8

/** The first of many, and how many more there are: a pool may have hundreds of certificates. */
export function fewOf(words: readonly string[]): string {
  return words.length <= FEW
    ? listOf(words)
    : `${words.slice(0, FEW - 1).join(', ')} and ${words.length - FEW + 1} more`
}

export function errorText([code = '', ...params]: readonly string[]): string {
  return params.length === 0 ? code : `${code} [${params.join('; ')}]`
}

/** Enough of a fingerprint to compare by eye. */
export function shortPrint(fingerprintSha256: string): string {
  return `${fingerprintSha256.slice(0, 23)}...`
}
