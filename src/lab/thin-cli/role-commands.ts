/** Which host is coordinator: handing it over, and what to do when it is gone. */
import { isApiSet } from '../../xapi/index.js'
import { isSet, requireValue } from './arguments.js'
import { type Command, commandTable, type Invocation } from './command.js'

/** What the pool prints, though a lab's host needs less. */
const RESTART_SECONDS = '10.000'

export const ROLE_COMMANDS: readonly Command[] = commandTable([
  [
    'pool-designate-new-master',
    'host-uuid',
    '',
    'Hands the role of coordinator over to another host, in good order.',
    [],
    async ({ parameters, rpc }) => {
      const host = await rpc('host.get_by_uuid', requireValue(parameters, 'host-uuid'))
      await rpc('pool.designate_new_master', host)
    },
  ],
  [
    'pool-emergency-transition-to-master',
    '',
    'force',
    'Makes this host coordinator, for when the coordinator is lost. On the coordinator itself it needs --force.',
    ['never-forward', 'local-session'],
    takeOver,
  ],
  [
    'pool-emergency-reset-master',
    'master-address',
    '',
    'Tells this host where its coordinator is now.',
    ['never-forward', 'local-session'],
    async ({ parameters, rpc, printer }) => {
      const address = requireValue(parameters, 'master-address')
      await rpc('pool.emergency_reset_master', address)
      await printer.list([`Host agent will restart and become slave of ${address} in ${RESTART_SECONDS} seconds...`])
    },
  ],
  [
    'pool-recover-slaves',
    '',
    '',
    'Tells every host that lost its coordinator that it is this one, and shows which hosts listened.',
    [],
    async ({ rpc, printer }) => {
      const hosts = await rpc('pool.recover_slaves')
      const refs = isApiSet(hosts) ? hosts : []
      await printer.list(await Promise.all(refs.map(async (ref) => String(await rpc('host.get_uuid', ref)))))
    },
  ],
])

async function takeOver({ parameters, rpc, host, printer }: Invocation): Promise<void> {
  const isForced = isSet(parameters, 'force')
  if (host.role().kind === 'coordinator' && !isForced) {
    await printer.list(["Host agent is already master. Use '--force' to execute the operation anyway."])
    return
  }
  await rpc('pool.emergency_transition_to_master')
  await printer.list([`Host agent will restart and transition to master in ${RESTART_SECONDS} seconds...`])
}
