/** Every command of the lab's `xe`, by name; `help` answers without a session and is none of them. */
import { CERTIFICATE_COMMANDS } from './certificate-commands.js'
import type { Command } from './command.js'
import { EVENT_COMMANDS } from './event-wait.js'
import { OBJECT_COMMANDS } from './object-commands.js'
import { ROLE_COMMANDS } from './role-commands.js'
import { TLS_COMMANDS } from './tls-commands.js'
import { WLB_COMMANDS } from './wlb-commands.js'

const ALL = [
  ...CERTIFICATE_COMMANDS,
  ...TLS_COMMANDS,
  ...WLB_COMMANDS,
  ...ROLE_COMMANDS,
  ...EVENT_COMMANDS,
  ...OBJECT_COMMANDS,
]

export const COMMANDS: ReadonlyMap<string, Command> = new Map(ALL.map((command) => [command.name, command]))
