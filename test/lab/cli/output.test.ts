import { describe, expect, it } from 'vitest'
import { CERTIFICATE, createPool, GUEST, HOST1, HOST2, POOL, ref } from './pool-in-memory.js'
import { hostFor, xe } from './raw-client.js'

const GOLDEN: [file: string, command: string][] = [
  ['pool-list', 'pool-list'],
  ['pool-list-minimal', 'pool-list --minimal'],
  ['pool-list-all-params', 'pool-list params=all'],
  ['pool-param-list', `pool-param-list uuid=${POOL}`],
  ['host-list', 'host-list'],
  ['host-list-memory', `host-list params=uuid,memory-free-computed,memory-total,host-metrics-live uuid=${HOST1}`],
  ['host-param-list', `host-param-list uuid=${HOST2}`],
  ['vm-list', 'vm-list'],
  ['vm-list-minimal', 'vm-list --minimal params=name-label'],
  ['vm-param-list', `vm-param-list uuid=${GUEST}`],
  ['certificate-list', 'certificate-list'],
  ['certificate-list-ca', 'certificate-list type=ca'],
  ['certificate-param-list', `certificate-param-list uuid=${CERTIFICATE}`],
  ['help', 'help'],
  ['help-all', 'help --all'],
  ['help-all-minimal', 'help --minimal --all'],
  [
    'help-commands',
    'help pool-certificate-install vm-retrieve-wlb-recommendations host-get-server-certificate nonsense',
  ],
  ['help-lists', 'help certificate-list pool-param-set pool-param-clear'],
]

it.each(GOLDEN)('prints %s', async (file, command) => {
  const { stdout, stderr, exit } = await xe(hostFor(createPool()), command)
  await expect(`$ xe ${command}\n${stdout}${stderr}exit ${exit}\n`).toMatchFileSnapshot(`golden/${file}.txt`)
})

describe('lines', () => {
  const CASES: [command: string, stdout: string][] = [
    [`pool-param-get uuid=${POOL} param-name=wlb-verify-cert`, 'true\n'],
    [`pool-param-get uuid=${POOL} param-name=master`, `${HOST1}\n`],
    [`pool-param-get uuid=${POOL} param-name=default-SR`, '<not in database>\n'],
    [`pool-param-get uuid=${POOL} param-name=other-config param-key=wlb_timeout`, '60\n'],
    [`pool-param-get uuid=${POOL} param-name=other-config`, 'wlb_timeout: 60; auto-x: a,b\n'],
    [`pool-param-get uuid=${POOL} param-name=tags`, 'blue, a, b\n'],
    [`pool-param-get uuid=${POOL} param-name=tags --minimal`, 'blue\\, a\\, b\n'],
    [`pool-param-get uuid=${POOL} param-name=name-label param-key=x`, 'lab\n'],
    [`pool-param-get uuid=${POOL} param-name=license-state`, 'edition: premium-per-socket; expiry: never\n'],
    ['pool-list params=wlb-verify-cert --minimal', 'true\n'],
    ['pool-list params=nonsense --minimal', '\n'],
    ['pool-list name-label=other', ''],
    ['pool-list name-label=other --minimal', '\n'],
    ['pool-list name-label=other --all --minimal', `${POOL}\n`],
    ['pool-list other-config:wlb_timeout=60 --minimal', `${POOL}\n`],
    ['pool-list other-config-wlb_timeout=60 --minimal', `${POOL}\n`],
    ['pool-list other-config:wlb_timeout=61 --minimal', '\n'],
    ['pool-list tags:contains=blue --minimal', `${POOL}\n`],
    ['pool-list tags:contains=red --minimal', '\n'],
    ['host-list --minimal', `${HOST1},${HOST2}\n`],
    ['host-list name-label=host2 --minimal', `${HOST2}\n`],
    ['host-list name-label=none unknown=1', ''],
    ['vm-list --minimal', `dom0-uuid,${GUEST}\n`],
    ['vm-list is-control-domain=false power-state=running --minimal', `${GUEST}\n`],
    [`vm-list params=name-label uuid=${GUEST} --minimal`, 'web\\, front\n'],
    ['certificate-list type=ca name=wlb.pem params=fingerprint --minimal', 'AA:BB:CC\n'],
    ['certificate-list host=9a1c0000-0000-4000-8000-000000000002 params=type --minimal', 'host_internal\n'],
    [`certificate-param-get uuid=${CERTIFICATE} param-name=not-after`, '20361120T14:53:37Z\n'],
    ['sr-list', ''],
    [`vm-param-get uuid=${GUEST} param-name=transportable-snapshot-id`, '\n'],
    [`vm-param-get uuid=${GUEST} param-name=current-operations`, 'pool_migrate\n'],
    [`vm-param-get uuid=${GUEST} param-name=os-version param-key=name`, 'Debian\n'],
    [`vm-param-get uuid=${GUEST} param-name=actions-after-softreboot`, 'Soft reboot\n'],
    [`vm-param-get uuid=${GUEST} param-name=possible-hosts`, `${HOST1}\n`],
    ['vm-list current-operations:contains=pool_migrate --minimal', `${GUEST}\n`],
    ['vm-list os-version:distro=debian --minimal', `${GUEST}\n`],
    ['vm-list params=transportable-snapshot-id --minimal', '\n'],
    [`vm-list params=possible-hosts uuid=${GUEST} --minimal`, '<expensive field>\n'],
  ]
  it.each(CASES)('xe %s', async (command, stdout) => {
    expect(await xe(hostFor(createPool()), command)).toMatchObject({ stdout, stderr: '', exit: 0 })
  })
})

const COUNTS: [command: string, fields: number][] = [
  [`host-param-list uuid=${HOST1}`, 69],
  [`vm-param-list uuid=${GUEST}`, 105],
]
it.each(COUNTS)('xe %s: %d fields', async (command, fields) => {
  const { stdout } = await xe(hostFor(createPool()), command)
  expect(stdout.split('\n').filter((line) => / \([ SM]R[OW]\)(?: \[DEPRECATED\])? *: /.test(`${line} `))).toHaveLength(
    fields,
  )
})

describe('what a command does', () => {
  const p = ref('pool')
  const CASES: [command: string, done: string, stdout?: string][] = [
    [`pool-param-set uuid=${POOL} wlb-verify-cert=false`, `pool.set_wlb_verify_cert(${p}, false)`],
    [`host-param-set uuid=${HOST1} https-only=true`, `host.set_https_only(${ref('host1')}, true)`],
    [`host-param-set uuid=${HOST1} ntp-custom-servers=a,b`, `host.set_ntp_custom_servers(${ref('host1')}, ["a","b"])`],
    [
      `host-param-clear uuid=${HOST1} param-name=ntp-custom-servers`,
      `host.set_ntp_custom_servers(${ref('host1')}, [])`,
    ],
    [`vm-param-set uuid=${GUEST} ha-always-run=true`, `VM.set_ha_always_run(${ref('guest')}, true)`],
    [
      `vm-param-set uuid=${GUEST} actions-after-reboot=Destroy`,
      `VM.set_actions_after_reboot(${ref('guest')}, destroy)`,
    ],
    [
      `vm-param-set uuid=${GUEST} actions-after-crash=Rename_Restart`,
      `VM.set_actions_after_crash(${ref('guest')}, rename_restart)`,
    ],
    [`pool-param-set uuid=${POOL} wlb-enabled=true --minimal`, `pool.set_wlb_enabled(${p}, true)`, '\n'],
    [`pool-param-set uuid=${POOL} name-label`, `pool.set_name_label(${p}, )`],
    [`pool-param-set uuid=${POOL} ha-host-failures-to-tolerate=2`, `pool.set_ha_host_failures_to_tolerate(${p}, 2)`],
    [`pool-param-set uuid=${POOL} default-SR=`, `pool.set_default_SR(${p}, OpaqueRef:NULL)`],
    [
      `pool-param-set uuid=${POOL} other-config:wlb_timeout=5 other-config:new=1`,
      `pool.remove_from_other_config(${p}, wlb_timeout); pool.add_to_other_config(${p}, wlb_timeout, 5); pool.add_to_other_config(${p}, new, 1)`,
    ],
    [`pool-param-add uuid=${POOL} param-name=other-config a=b=c`, `pool.add_to_other_config(${p}, a, b=c)`],
    [`pool-param-add uuid=${POOL} param-name=tags param-key=red`, `pool.add_tags(${p}, red)`],
    [
      `pool-param-remove uuid=${POOL} param-name=other-config param-key=wlb_timeout`,
      `pool.remove_from_other_config(${p}, wlb_timeout)`,
    ],
    [`pool-param-remove uuid=${POOL} param-name=tags param-key=blue`, `pool.remove_tags(${p}, blue)`],
    [`pool-param-clear uuid=${POOL} param-name=name-label`, `pool.set_name_label(${p}, )`],
    [`pool-param-clear uuid=${POOL} param-name=tags`, `pool.remove_tags(${p}, blue); pool.remove_tags(${p}, a, b)`],
    [
      `pool-param-clear uuid=${POOL} param-name=other-config`,
      `pool.remove_from_other_config(${p}, wlb_timeout); pool.remove_from_other_config(${p}, auto-x)`,
    ],
    ['pool-certificate-install filename=/root/wlb.pem', 'pool.install_ca_certificate(wlb.pem, PEM)'],
    ['pool-install-ca-certificate filename=wlb.pem --minimal', 'pool.install_ca_certificate(wlb.pem, PEM)', '\n'],
    ['pool-certificate-uninstall name=wlb.pem --force', 'pool.uninstall_ca_certificate(wlb.pem, true)'],
    ['pool-uninstall-ca-certificate name=wlb.pem force=No', 'pool.uninstall_ca_certificate(wlb.pem, false)'],
    ['pool-certificate-list', 'pool.certificate_list()', 'wlb.pem\nother.pem\n'],
    ['pool-certificate-list --minimal', 'pool.certificate_list()', 'wlb.pem,other.pem\n'],
    ['pool-crl-install filename=C:\\x\\crl.pem', 'pool.crl_install(C:\\x\\crl.pem, CRL)'],
    ['pool-crl-uninstall name=crl.pem', 'pool.crl_uninstall(crl.pem)'],
    ['pool-crl-list', 'pool.crl_list()'],
    ['pool-certificate-sync', 'pool.certificate_sync()'],
    [
      'pool-install-trusted-certificate filename=wlb.pem ca=yes purpose=ldaps,licensing',
      `pool.install_trusted_certificate(${p}, true, PEM, ["ldaps","licensing"])`,
    ],
    [
      `pool-uninstall-trusted-certificate certificate-uuid=${CERTIFICATE}`,
      `pool.uninstall_trusted_certificate(${p}, ${ref('ca')})`,
    ],
    ['pool-enable-tls-verification', 'pool.enable_tls_verification()'],
    ['host-get-server-certificate host=host1.lab', `host.get_server_certificate(${ref('host1')})`, 'PEM of host\n'],
    [`host-get-server-certificate host=${HOST1} --minimal`, `host.get_server_certificate(${ref('host1')})`, '\n'],
    ['host-reset-server-certificate name-label=host2', `host.reset_server_certificate(${ref('host2')})`],
    ['host-refresh-server-certificate host=host2', `host.refresh_server_certificate(${ref('host2')})`],
    [
      'host-server-certificate-install host=host1 certificate=wlb.pem private-key=key.pem',
      `host.install_server_certificate(${ref('host1')}, PEM, KEY, )`,
    ],
    [
      'pool-initialize-wlb wlb_url=wlb.lab:8012 wlb_username=u wlb_password=p=q xenserver_username=root xenserver_password=x',
      'pool.initialize_wlb(wlb.lab:8012, u, p=q, root, x)',
    ],
    ['pool-deconfigure-wlb', 'pool.deconfigure_wlb()'],
    ['pool-send-wlb-configuration config:A=1 config:b=', 'pool.send_wlb_configuration({"A":"1","b":""})'],
    [
      'pool-retrieve-wlb-configuration',
      'pool.retrieve_wlb_configuration()',
      'OptimizationMode    : 0\n          WlbVersion: 8.0\n\n\n',
    ],
    ['pool-retrieve-wlb-configuration --minimal', 'pool.retrieve_wlb_configuration()', '0\n'],
    [
      'pool-retrieve-wlb-recommendations',
      'pool.retrieve_wlb_recommendations()',
      `${'VM'.padEnd(53)}: Host, OptID, RecID, Reason\n    ${GUEST} (web, front): WLB h 77 431 Cpu\n\n\n`,
    ],
    [
      `vm-retrieve-wlb-recommendations uuid=${GUEST}`,
      `VM.retrieve_wlb_recommendations(${ref('guest')})`,
      `Host(Uuid)                                     : Stars, RecID, ZeroScoreReason\n    host1(${HOST1}): WLB 4.0 417\n\n\n`,
    ],
    [
      `host-retrieve-wlb-evacuate-recommendations uuid=${HOST1}`,
      `host.retrieve_wlb_evacuate_recommendations(${ref('host1')})`,
      `${'VM'.padEnd(53)}: [Host, RecID] / Error\n    ${GUEST} (web, front): HOST_NOT_ENOUGH_FREE_MEMORY x\n\n\n`,
    ],
    ['pool-send-test-post dest-host=h dest-port=443 body=x', 'pool.send_test_post(h, 443, x)', 'HTTP/1.1 200 OK\n'],
    [`pool-designate-new-master host-uuid=${HOST2}`, `pool.designate_new_master(${ref('host2')})`],
    ['pool-recover-slaves', 'pool.recover_slaves()', `${HOST2}\n`],
    [
      'pool-emergency-transition-to-master --force',
      'pool.emergency_transition_to_master()',
      'Host agent will restart and transition to master in 10.000 seconds...\n',
    ],
    [
      'pool-emergency-reset-master master-address=127.0.0.12',
      'pool.emergency_reset_master(127.0.0.12)',
      'Host agent will restart and become slave of 127.0.0.12 in 10.000 seconds...\n',
    ],
    ['host-emergency-disable-tls-verification', 'host.emergency_disable_tls_verification()'],
    ['host-emergency-reenable-tls-verification', 'host.emergency_reenable_tls_verification()'],
    ['host-emergency-reset-server-certificate', 'host.emergency_reset_server_certificate()'],
  ]
  const files = { '/root/wlb.pem': 'PEM', 'wlb.pem': 'PEM', 'C:\\x\\crl.pem': 'CRL', 'key.pem': 'KEY' }

  it.each(CASES)('xe %s', async (command, done, stdout = '') => {
    const pool = poolWithAnswers()
    expect(await xe(hostFor(pool), command, { files })).toMatchObject({ stdout, stderr: '', exit: 0 })
    expect(pool.done.join('; ')).toBe(done)
  })
})

function poolWithAnswers() {
  const pool = createPool()
  const nothing = [
    'pool.install_ca_certificate pool.uninstall_ca_certificate pool.crl_install pool.crl_uninstall pool.certificate_sync',
    'pool.install_trusted_certificate pool.uninstall_trusted_certificate pool.enable_tls_verification',
    'host.reset_server_certificate host.refresh_server_certificate host.install_server_certificate',
    'pool.initialize_wlb pool.deconfigure_wlb pool.send_wlb_configuration pool.designate_new_master',
    'pool.emergency_transition_to_master pool.emergency_reset_master host.emergency_disable_tls_verification',
    'host.emergency_reenable_tls_verification host.emergency_reset_server_certificate',
  ]
  for (const method of nothing.join(' ').split(' ')) pool.answer(method, '')
  pool.answer('pool.certificate_list', ['wlb.pem', 'other.pem'])
  pool.answer('pool.crl_list', [])
  pool.answer('host.get_server_certificate', 'PEM of host')
  pool.answer('pool.retrieve_wlb_configuration', { OptimizationMode: '0', WlbVersion: '8.0' })
  pool.answer('pool.retrieve_wlb_recommendations', { [ref('guest')]: ['WLB', 'h', '77', '431', 'Cpu'] })
  pool.answer('VM.retrieve_wlb_recommendations', { [ref('host1')]: ['WLB', '4.0', '417'] })
  pool.answer('host.retrieve_wlb_evacuate_recommendations', { [ref('guest')]: ['HOST_NOT_ENOUGH_FREE_MEMORY', 'x'] })
  pool.answer('pool.send_test_post', 'HTTP/1.1 200 OK')
  pool.answer('pool.recover_slaves', [ref('host2')])
  return pool
}
