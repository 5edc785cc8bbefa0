/** Errors of documents that do not belong to the WLB protocol. */
import { defineErrors } from '../base/error.js'

export const wlbErrors = defineErrors({
  SOAP_MALFORMED: {
    message: 'The document is not a SOAP envelope with one method in its body.',
    facts: ['root'],
    remedy: 'xmllint --format FILE',
  },
})
export const { fail } = wlbErrors
