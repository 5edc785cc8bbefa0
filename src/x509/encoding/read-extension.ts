/**
 * Extensions as Node's certificate reads them. Where OpenSSL cannot decode one, Node 20 answers as if it were absent and
 * leaves the error in the thread's queue; the next private key to be loaded is then refused with it, whatever key it is.
 */
import type { X509Certificate } from 'node:crypto'

/** Hands back what `read` does, and nothing else stays behind. */
export function readExtension<Out>(certificate: X509Certificate, read: () => Out): Out {
  try {
    return read()
  } finally {
    void certificate.ca // of the properties that empty the queue the cheapest
  }
}
