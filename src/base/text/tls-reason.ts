/** Why a TLS connection failed, in OpenSSL's words: what we print, log and hand on as facts. */

/** Newer releases of Node add this to the words, for people who write programs for Node (from 24 on). */
const ADVICE = /; if the root CA is installed locally, try running Node\.js with --use-system-ca/

/** The text of an error of a connection, the same on every release of Node. */
export function tlsReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(ADVICE, '')
}
