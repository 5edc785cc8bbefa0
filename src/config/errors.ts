/** What can be wrong with the settings, the sealing key and the running appliance's control socket. */
import { defineErrors } from '../base/error.js'
import { shell } from '../base/text/quote-word.js'

export const configErrors = defineErrors({
  APPLIANCE_SILENT: {
    message: 'The appliance is running and could not answer.',
    facts: ['socket', 'why'],
    remedy: ({ socket }) => shell`ss -xlp | grep ${socket}`,
  },
  NOT_SET_UP: {
    message: 'There is no appliance here yet.',
    facts: ['file'],
    remedy: 'wlb setup',
  },
  SECRET_KEY_UNUSABLE: {
    message: 'The key that seals the passwords of pools cannot be used.',
    facts: ['file', 'why'],
    remedy: ({ file }) => shell`mv ${file} ${file}.broken; wlb setup   # then register each pool again`,
  },
  SECRET_UNREADABLE: {
    message: "The pool's stored password does not open with this key.",
    facts: ['pool'],
    remedy: 'xe pool-initialize-wlb   # registering the pool again stores it anew',
  },
  SETTINGS_INVALID: {
    message: 'The settings cannot be used as they are.',
    facts: ['file', 'key?', 'line?', 'why'],
    remedy: ({ file, key }) => (key === 'account.password_hash' ? 'wlb account password' : shell`vi ${file}`),
  },
})
export const { fail } = configErrors
