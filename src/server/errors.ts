/** What can be wrong with setting an appliance up, and with commands to the one that runs. */
import { defineErrors } from '../base/error.js'

const FLAGS: Readonly<Record<string, string>> = {
  hostname: '--hostname wlb.example.com',
  address: '--address 0.0.0.0',
  port: '--port 8012',
  userName: '--username wlbuser',
  databaseUrl: '--database postgres://wlb@localhost/wlb',
  password: '--password-file FILE',
}

export const serverErrors = defineErrors({
  CHOICE_INVALID: {
    message: 'One of the choices cannot be used.',
    facts: ['choice', 'given?', 'why'],
    remedy: ({ choice }) => `wlb setup ${FLAGS[String(choice)] ?? '--help'}`,
  },
  NOT_RUNNING: {
    message: 'No appliance is running here.',
    facts: ['root'],
    remedy: 'wlb serve',
  },
  POOL_UUID_INVALID: {
    message: 'That is not the UUID of a pool.',
    facts: ['given'],
    remedy: 'wlb status',
  },
  SETUP_INCOMPLETE: {
    message: 'There are no settings yet, and one that has no default was not given.',
    facts: ['missing'],
    remedy: 'wlb setup --hostname wlb.example.com --password-file FILE --yes',
  },
})
export const { fail } = serverErrors
