/** What can be wrong with a call of `xe` before anything is sent. `failures.ts` prints it in the real client's words. */
import { defineErrors } from '../../base/error.js'

export const xeErrors = defineErrors({
  CA_FILE_EMPTY: {
    message: 'The file holds no certificate in PEM form.',
    facts: ['file'],
    remedy: 'xe --help',
  },
  CA_FILE_UNREADABLE: {
    message: 'The trust anchors cannot be read.',
    facts: ['file', 'reason'],
    remedy: 'xe --help',
  },
  TLS_UNTRUSTED: {
    message: 'A plain connection has no certificate to verify. Nothing was sent.',
    facts: ['server'],
    remedy: 'xe help',
  },
})
export const { fail } = xeErrors
