/** The hosts' own certificates, and whether hosts verify each other. */
import { findValue, requireValue } from './arguments.js'
import { loadOrRefuse } from './certificate-commands.js'
import { type Command, commandTable, type Invocation } from './command.js'
import { selectHost } from './selection.js'

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
  const { ref } = await selectHost(parameters, rpc, 'certificate', 'private-key', 'certificate-chain')
  const certificate = await loadOrRefuse(conversation, requireValue(parameters, 'certificate'), 'certificate')
  const key = await loadOrRefuse(conversation, requireValue(parameters, 'private-key'), 'private key')
  const chainFile = findValue(parameters, 'certificate-chain')
  const chain = chainFile === undefined ? '' : await loadOrRefuse(conversation, chainFile, 'certificate chain')
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
