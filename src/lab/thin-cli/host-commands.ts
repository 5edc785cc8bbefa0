/**
 * The commands about single hosts: which one is coordinator, their own certificates, and whether hosts verify each
 * other.
 */
import { isApiMap, isApiSet, NULL_REF } from '../../xapi/index.js'
import { loadOrRefuse } from './certificate-commands.js'
import { type Command, commandTable, type Invocation } from './command.js'
import { findValue, isSet, requireValue } from './command-line.js'
import { selectHost, selectHosts } from './selection.js'
import { forEachObject } from './vm-commands.js'

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

export const HOST_COMMANDS: readonly Command[] = commandTable([
  [
    'host-disable',
    '',
    'auto-enable',
    'Takes hosts out of service: no VM starts there.',
    ['host-selectors'],
    disableHosts,
  ],
  ['host-enable', '', '', 'Takes hosts back into service.', ['host-selectors'], onEachHost('host.enable')],
  ['host-evacuate', '', 'network-uuid batch-size', 'Moves every VM off a host.', ['host-selectors'], evacuateHost],
  [
    'host-shutdown',
    '',
    '',
    'Switches hosts off; they must be disabled.',
    ['host-selectors'],
    onEachHost('host.shutdown'),
  ],
  ['host-reboot', '', '', 'Reboots hosts; they must be disabled.', ['host-selectors'], onEachHost('host.reboot')],
  ['host-power-on', '', '', 'Switches hosts on.', ['host-selectors'], onEachHost('host.power_on')],
  [
    'host-compute-free-memory',
    '',
    '',
    'Shows how much memory new VMs could have on a host.',
    ['host-selectors'],
    async ({ parameters, rpc, printer }) => {
      const { ref } = await selectHost(parameters, rpc)
      await printer.message(String(await rpc('host.compute_free_memory', ref)))
    },
  ],
  [
    'host-get-vms-which-prevent-evacuation',
    'uuid',
    '',
    'Shows the VMs that cannot leave a host, each with the reason.',
    [],
    showStuckVms,
  ],
])

function onEachHost(method: string): Command['run'] {
  return async (invocation) => {
    const hosts = await selectHosts(invocation, [])
    await forEachObject(invocation, hosts, async ({ ref }) => {
      await invocation.rpc(method, ref)
    })
  }
}

async function disableHosts(invocation: Invocation): Promise<void> {
  const { parameters, rpc } = invocation
  const isGiven = findValue(parameters, 'auto-enable') !== undefined
  const hosts = await selectHosts(invocation, ['auto-enable'])
  await forEachObject(invocation, hosts, async ({ ref }) => {
    await rpc('host.disable', ref, isGiven ? isSet(parameters, 'auto-enable') : true)
  })
}

async function evacuateHost({ parameters, rpc }: Invocation): Promise<void> {
  const named = findValue(parameters, 'network-uuid')
  const network = named === undefined ? NULL_REF : await rpc('network.get_by_uuid', named)
  const size = findValue(parameters, 'batch-size') ?? '0'
  if (!/^\d+$/.test(size)) throw new Error(`Scanf.Scan_failure("${size} is no number")`)
  const { ref } = await selectHost(parameters, rpc, 'network-uuid', 'batch-size')
  await rpc('host.evacuate', ref, network, BigInt(size))
}

async function showStuckVms({ parameters, rpc, printer }: Invocation): Promise<void> {
  const host = await rpc('host.get_by_uuid', requireValue(parameters, 'uuid'))
  const reasons = await rpc('host.get_vms_which_prevent_evacuation', host)
  for (const [vm, reason] of Object.entries(isApiMap(reasons) ? reasons : {})) {
    const [uuid, name] = await Promise.all([rpc('VM.get_uuid', vm), rpc('VM.get_name_label', vm)])
    const words = isApiSet(reason) ? reason.map(String) : []
    await printer.table([
      [
        ['uuid ( RO)', String(uuid)],
        ['name-label ( RW)', String(name)],
        ['reason ( RO)', words.join(',')],
      ],
    ])
  }
}

async function takeOver({ parameters, rpc, host, printer }: Invocation): Promise<void> {
  const isForced = isSet(parameters, 'force')
  if (host.role().kind === 'coordinator' && !isForced) {
    await printer.list(["Host agent is already master. Use '--force' to execute the operation anyway."])
    return
  }
  await rpc('pool.emergency_transition_to_master')
  await printer.list([`Host agent will restart and transition to master in ${RESTART_SECONDS} seconds...`])
}

export const TLS_COMMANDS: readonly Command[] = commandTable([
  [
    'pool-enable-tls-verification',
    '',
    '',
    'Makes the hosts verify each other, and the pool verify Workload Balancing.',
    [],
    callWithout('pool.enable_tls_verification'),
  ],
  [
    'host-emergency-disable-tls-verification',
    '',
    '',
    'Stops this one host from verifying others, for when nothing else gets the pool to talk again.',
    ['never-forward', 'local-session'],
    callWithout('host.emergency_disable_tls_verification'),
  ],
  [
    'host-emergency-reenable-tls-verification',
    '',
    '',
    'Makes this one host verify others again.',
    ['never-forward', 'local-session'],
    callWithout('host.emergency_reenable_tls_verification'),
  ],
  [
    'host-emergency-reset-server-certificate',
    '',
    '',
    'Gives this one host a new self-signed certificate, for when its own cannot be used.',
    ['never-forward', 'local-session'],
    callWithout('host.emergency_reset_server_certificate'),
  ],
  [
    'host-get-server-certificate',
    '',
    '',
    'Shows the certificate a host serves.',
    ['host-selectors'],
    async ({ parameters, rpc, printer }) => {
      const { ref } = await selectHost(parameters, rpc)
      await printer.message(String(await rpc('host.get_server_certificate', ref)))
    },
  ],
  [
    'host-server-certificate-install',
    'certificate private-key',
    'certificate-chain',
    'Gives a host a certificate and its key, from local files, with the intermediate certificates if there are any.',
    ['host-selectors'],
    installServerCertificate,
  ],
  [
    'host-reset-server-certificate',
    '',
    '',
    'Gives a host a new self-signed certificate.',
    ['host-selectors'],
    callOnHost('host.reset_server_certificate'),
  ],
  [
    'host-refresh-server-certificate',
    'host',
    '',
    'Replaces the certificate a host shows to the other hosts of its pool.',
    ['host-selectors'],
    callOnHost('host.refresh_server_certificate'),
  ],
])

async function installServerCertificate({ parameters, rpc, conversation }: Invocation): Promise<void> {
  const certificate = await loadOrRefuse(conversation, requireValue(parameters, 'certificate'), 'certificate')
  const key = await loadOrRefuse(conversation, requireValue(parameters, 'private-key'), 'private key')
  const chainFile = findValue(parameters, 'certificate-chain')
  const chain = chainFile === undefined ? '' : await loadOrRefuse(conversation, chainFile, 'certificate chain')
  // As on a pool: files are read before anybody asks which host is meant.
  const { ref } = await selectHost(parameters, rpc, 'certificate', 'private-key', 'certificate-chain')
  await rpc('host.install_server_certificate', ref, certificate, key, chain)
}

function callWithout(method: string): Command['run'] {
  return async ({ rpc }) => {
    await rpc(method)
  }
}

function callOnHost(method: string): Command['run'] {
  return async ({ parameters, rpc }) => {
    const { ref } = await selectHost(parameters, rpc)
    await rpc(method, ref)
  }
}
