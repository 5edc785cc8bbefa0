/** What `wlb lab break` does to a host, and how the outcome is printed. */
import type { LabFault } from '../lab/index.js'

export const FAULTS: Readonly<Record<LabFault, string>> = {
  stop: 'is stopped',
  kill: 'is dead',
  start: 'is up and live',
  'remove-bundle': 'has no bundle any more',
  'corrupt-bundle': 'has a bundle that begins with garbage',
  'truncate-bundle': 'has a bundle that ends in a broken block',
  'junk-crl': 'has a file among its revocation lists that is none',
  deafen: 'is live, and cannot be reached',
  slow: 'answers XenAPI late',
  cut: 'breaks off in the middle of its answers',
  garbage: 'answers XenAPI with something else',
  mend: 'answers XenAPI as it should',
  'expire-sessions': 'has ended the sessions of its users',
}

export const FAULT_NAMES: readonly string[] = Object.keys(FAULTS)
