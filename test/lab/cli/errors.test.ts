import { describe, expect, it } from 'vitest'
import { ApiFailure } from '../../../src/xapi/index.js'
import { createPool, GUEST, HOST1, POOL, ref } from './pool-in-memory.js'
import { hostFor, xe } from './raw-client.js'

const USAGE = "For usage run: 'xe help'\n"
const BOOLEANS = "'true','t','yes','y','1','false','f','no','n','0'"

describe('what was typed', () => {
  const CASES: [command: string, stderr: string][] = [
    ['', `Syntax error: \n${USAGE}`],
    ['uuid=x pool-list', `Syntax error: \n${USAGE}`],
    ['pool-list -x y', `Syntax error: \n${USAGE}`],
    ['nonsense', `Unknown command: nonsense\n${USAGE}`],
    ['pool-disable-tls-verification', `Unknown command: pool-disable-tls-verification\n${USAGE}`],
    ['certificate-param-set uuid=x', `Unknown command: certificate-param-set\n${USAGE}`],
    ['certificate-param-add uuid=x', `Unknown command: certificate-param-add\n${USAGE}`],
    ['certificate-param-clear uuid=x', `Unknown command: certificate-param-clear\n${USAGE}`],
    ['pool-certificate-install', `Required parameter not found: filename\n${USAGE}`],
    ['pool-param-get uuid=x', `Required parameter not found: param-name\n${USAGE}`],
    ['pool-initialize-wlb wlb-url=x', `Required parameter not found: wlb_url\n${USAGE}`],
    ['pool-list --minimal=yes minimal=x', 'The server failed'],
    [`pool-param-get uuid=${POOL} param-name=nonsense`, 'Error code: Missing parameter\nError parameters: nonsense\n'],
    [
      `pool-param-clear uuid=${POOL} param-name=nonsense`,
      'Error code: Missing parameter\nError parameters: nonsense\n',
    ],
    [`pool-param-get uuid=${POOL} param-name=other-config param-key=x`, 'Error: Key x not found in map\n'],
    [`pool-param-set uuid=${POOL} wlb-url=x`, "Error: Field 'wlb-url' is read-only.\n"],
    [`pool-param-set uuid=${POOL} tags=x`, "Error: Field 'tags' is read-only.\n"],
    [`pool-param-set uuid=${POOL} nonsense=x`, "Error: Unknown field 'nonsense'\n"],
    [`pool-param-set uuid=${POOL} nonsense:a=x`, "Error: Unknown field 'nonsense:a'\n"],
    [`pool-param-set uuid=${POOL} name-label:a=x`, "Error: Field 'name-label' is not a set or map\n"],
    [
      `pool-param-set uuid=${POOL} other-config=x`,
      "Error: Field 'other-config' is a map or set. use the 'name:key=value' syntax.\n",
    ],
    [`pool-param-set uuid=${POOL} cpu_info:a=x`, "Error: Map field 'cpu_info' is read-only.\n"],
    [`pool-param-set uuid=${POOL} tags:a=x`, 'Error: Cannot param-set on set fields\n'],
    [
      `pool-param-set uuid=${POOL} wlb-verify-cert=yes`,
      'Error: Parameter wlb-verify-cert must be a boolean (true or false)\n',
    ],
    [
      `pool-param-set uuid=${POOL} wlb-verify-cert=True`,
      'Error: Parameter wlb-verify-cert must be a boolean (true or false)\n',
    ],
    [
      `pool-param-set uuid=${POOL} ssh-enabled-timeout=soon`,
      "Error: Failed to parse parameter 'ssh-enabled-timeout': expecting an integer\n",
    ],
    [`pool-param-clear uuid=${POOL} param-name=wlb-verify-cert`, 'Error: Cannot clear this parameter\n'],
    [`pool-param-clear uuid=${POOL} param-name=wlb-url`, 'Error: Can only clear RW parameters\n'],
    [`pool-param-add uuid=${POOL} param-name=name-label a=b`, 'Error: Can only add to parameters of type Set or Map\n'],
    [`pool-param-add uuid=${POOL} param-name=cpu_info a=b`, 'Error: Parameter is read-only\n'],
    [
      `pool-param-add uuid=${POOL} param-name=tags`,
      'Error: When adding a key to a set, use the syntax: *-param-add param-name=<name> param-key=<key>\n',
    ],
    [`pool-param-remove uuid=${POOL} param-name=other-config param-key=x`, 'Error: Key x is not in map\n'],
    [`pool-param-remove uuid=${POOL} param-name=tags param-key=x`, 'Error: Key x is not in the set\n'],
    [
      `pool-param-remove uuid=${POOL} param-name=cpu_info param-key=x`,
      'Error: Cannot remove parameters from read-only map\n',
    ],
    [
      `pool-param-remove uuid=${POOL} param-name=name-label param-key=x`,
      'Error: Can only remove from parameters of type Set or Map\n',
    ],
    ['pool-list nonsense=1', "Error: Unknown field 'nonsense'\n"],
    ['pool-list tags:has=blue', 'Error: Invalid syntax for set filtering (should be set-param:contains=key)\n'],
    ['pool-list all=maybe', `Error: Failed to parse parameter 'all': Expected ${BOOLEANS} got maybe\n`],
    [
      'pool-uninstall-ca-certificate name=w.pem force=x',
      `Error: Failed to parse parameter 'force': Expected ${BOOLEANS} got x\n`,
    ],
    [
      `host-param-get uuid=${HOST1} param-name=external-auth-configuration param-key=domain`,
      'Error: Key domain not found in map\n',
    ],
    [
      `vm-param-set uuid=${GUEST} actions-after-reboot=explode`,
      "Error: Expected 'destroy' or 'restart', got explode\n",
    ],
    ['vm-list database:vdi-uuid=x', 'The uuid you supplied was invalid.\ntype: VDI\nuuid: x\n'],
    [`vm-param-get uuid=${GUEST} param-name=VIFs`, 'Error code: Missing parameter\nError parameters: VIFs\n'],
    [
      'pool-list database:vdi-uuid=x database:filename=y',
      'Error: xapi can query a DB vdi or a DB file, but not both.\n',
    ],
    ['host-server-certificate-install certificate=none private-key=none', 'Failed to read certificate\n'],
    ['pool-param-list uuid=x', 'The uuid you supplied was invalid.\ntype: pool\nuuid: x\n'],
    ['host-get-server-certificate host=nobody', 'Error: No matching hosts found\n'],
    [
      'host-get-server-certificate',
      'Error: Multiple matching hosts found. Operation can only be performed on one host at a time\n',
    ],
    [
      'host-get-server-certificate --multiple',
      'Error: Multiple matching hosts found. Operation can only be performed on one host at a time\n',
    ],
    ['host-get-server-certificate nonsense=1', "Error: Unknown field 'nonsense'\n"],
    ['vm-retrieve-wlb-recommendations vm=Debian', 'Error: No matching VMs found\n'],
    ['vm-retrieve-wlb-recommendations vm=dom0-uuid', 'Error: No matching VMs found\n'],
    ['event-wait class=certificate', "Error: Cli listening for class 'certificate' not currently implemented\n"],
    ['event-wait class=pool nonsense=1', 'Error: key missing: nonsense\n'],
    ['pool-certificate-install filename=gone.pem', 'Failed to read certificate\n'],
    ['pool-crl-install filename=gone.pem', 'Failed to read CRL\n'],
    ['host-server-certificate-install host=host1 certificate=w.pem private-key=gone', 'Failed to read private key\n'],
  ]
  it.each(CASES)('xe %s', async (command, stderr) => {
    const said = await xe(hostFor(createPool()), command, { files: { 'w.pem': 'PEM' } })
    expect(said.stderr.startsWith(stderr) && (said.stderr === stderr || stderr === 'The server failed')).toBe(true)
    expect(said).toMatchObject({ stdout: '', exit: 1 })
  })

  it('says twice that it is over when a local file could not be read', async () => {
    const said = await xe(hostFor(createPool()), 'pool-certificate-install filename=gone.pem')
    expect(said.exits).toEqual([1, 1])
  })

  it('refuses an unknown purpose before the file is asked for', async () => {
    const command = 'pool-install-trusted-certificate filename=gone.pem ca=true purpose=wlb'
    expect((await xe(hostFor(createPool()), command)).stderr).toContain("purpose 'wlb'")
  })
})

describe('what the pool refuses', () => {
  const INSTALL = 'pool-certificate-install filename=w.pem'
  const CONFIGURATION = 'pool-retrieve-wlb-configuration'
  const SSL = "The remote system's SSL certificate failed to verify against our certificate library.\n"
  const CASES: [command: string, code: string, params: string[], stderr: string][] = [
    [
      INSTALL,
      'CERTIFICATE_ALREADY_EXISTS',
      ['w.pem'],
      'A certificate already exists with the specified name.\nname: w.pem\n',
    ],
    [INSTALL, 'CERTIFICATE_NAME_INVALID', ['w.crt'], 'The specified certificate name is invalid.\nname: w.crt\n'],
    [INSTALL, 'CA_CERTIFICATE_INVALID', [], 'Error code: CA_CERTIFICATE_INVALID\nError parameters: \n'],
    [
      INSTALL,
      'CA_CERTIFICATE_EXPIRED',
      ['2022-01-01T00:00:00Z', '2021-01-01T00:00:00Z'],
      'Error code: CA_CERTIFICATE_EXPIRED\nError parameters: 2022-01-01T00:00:00Z, 2021-01-01T00:00:00Z\n',
    ],
    [
      INSTALL,
      'HOST_OFFLINE',
      [ref('host2')],
      'You attempted an operation which involves a host which could not be contacted.\nhost: 9a1c0000-0000-4000-8000-000000000002 (host2)\n',
    ],
    [INSTALL, 'CERTIFICATE_LIBRARY_CORRUPT', [], 'The certificate library is corrupt or unreadable.\n'],
    [CONFIGURATION, 'SSL_VERIFY_ERROR', ['Subject checks failed'], `${SSL}reason: Subject checks failed\n`],
    [CONFIGURATION, 'WLB_INTERNAL_ERROR', ['4007', ''], 'WLB reported an internal error.\n<extra>: 4007\n<extra>: \n'],
    [CONFIGURATION, 'WLB_NOT_INITIALIZED', [], 'No WLB connection is configured.\n'],
    [
      CONFIGURATION,
      'WLB_TIMEOUT',
      ['30.'],
      'The communication with the WLB server timed out.\nconfigured_timeout: 30.\n',
    ],
    [
      CONFIGURATION,
      'INTERNAL_ERROR',
      ['Connection failed: configuration failed.'],
      'The server failed to handle your request, due to an internal error. The given message may give details useful for debugging the problem.\nmessage: Connection failed: configuration failed.\n',
    ],
    [CONFIGURATION, 'SSL_VERIFY_ERROR', [], `${SSL}reason: <unknown>\n`],
    [
      CONFIGURATION,
      'NEVER_HEARD_OF',
      [ref('pool'), 'x'],
      `Error code: NEVER_HEARD_OF\nError parameters: ${POOL} (lab), x\n`,
    ],
  ]
  it.each(CASES)('xe %s: %s %j', async (command, code, params, stderr) => {
    const pool = createPool()
    pool.answer('pool.install_ca_certificate', new ApiFailure(code, params))
    pool.answer('pool.retrieve_wlb_configuration', new ApiFailure(code, params))
    const host = hostFor(pool)
    expect(await xe(host, command, { files: { 'w.pem': 'PEM' } })).toMatchObject({ stdout: '', stderr, exit: 1 })
    expect(host.log).toEqual(['user login root', 'user logout'])
  })

  it('shows what was raised with --trace', async () => {
    const pool = createPool()
    pool.answer('pool.retrieve_wlb_configuration', new ApiFailure('WLB_URL_INVALID', ['x']))
    const { stderr, exits } = await xe(hostFor(pool), `${CONFIGURATION} --trace`)
    expect(stderr).toMatch(/\nurl: x\nRaised Server_error\(WLB_URL_INVALID, \[ x \]\)\nBacktrace:\n/)
    expect(exits).toEqual([1])
  })

  it('is silent on stdout even with --minimal', async () => {
    const pool = createPool()
    pool.answer('pool.certificate_list', new ApiFailure('SESSION_INVALID', ['x']))
    expect(await xe(hostFor(pool), 'pool-certificate-list --minimal')).toMatchObject({ stdout: '', exit: 1 })
  })
})

describe('who is asking', () => {
  const CASES: [words: string[], stderr: string][] = [
    [['username=root', 'password=wrong'], `Authentication failed\n${USAGE}`],
    [['-u', 'root', '-pw', 'wrong'], `Authentication failed\n${USAGE}`],
    [['username='], `Username/password must be specified\n${USAGE}`],
  ]
  it.each(CASES)('%j', async (words, stderr) => {
    expect(await xe(hostFor(createPool()), ['pool-list', ...words])).toMatchObject({ stdout: '', stderr, exit: 1 })
  })

  it('lets a refused login wait as long as the host says', async () => {
    const start = performance.now()
    await xe(hostFor(createPool(), { refusalDelayMs: 120 }), ['pool-list', 'password=wrong'])
    expect(performance.now() - start).toBeGreaterThanOrEqual(119)
  })

  it('looks at command and keys before it looks at who is asking', async () => {
    const { stderr } = await xe(hostFor(createPool()), ['pool-param-list', 'password=wrong'])
    expect(stderr).toBe(`Required parameter not found: uuid\n${USAGE}`)
  })

  it('needs no login for help', async () => {
    const host = hostFor(createPool())
    expect((await xe(host, ['help', 'pool-list', 'password=wrong'])).exit).toBe(0)
    expect(host.log).toEqual([])
  })

  it('takes a session of this host only for emergencies', async () => {
    const pool = createPool()
    const host = hostFor(pool)
    await xe(host, 'pool-emergency-transition-to-master')
    expect(host.log).toEqual(['local login root', 'local logout'])
    expect(pool.done).toEqual([])
  })

  it('does not take over what it has', async () => {
    const { stdout } = await xe(hostFor(createPool()), 'pool-emergency-transition-to-master')
    expect(stdout).toBe("Host agent is already master. Use '--force' to execute the operation anyway.\n")
  })
})

describe('waiting for an event', () => {
  const changed = (name: string) => ({
    events: [{ ref: ref('pool'), class: 'pool', operation: 'mod', snapshot: { uuid: POOL, name_label: name } }],
    token: '1,1',
  })

  it('is over at once when an object is as described', async () => {
    expect(await xe(hostFor(createPool()), 'event-wait class=pool name-label=lab')).toMatchObject({
      stdout: '',
      exit: 0,
    })
    expect((await xe(hostFor(createPool()), 'event-wait class=pool name-label=/=other')).exit).toBe(0)
    expect((await xe(hostFor(createPool()), `event-wait class=host uuid=${HOST1}`)).exit).toBe(0)
    expect((await xe(hostFor(createPool()), `event-wait class=vm uuid=${GUEST} power-state=running`)).exit).toBe(0)
  })

  it('goes on until one is', async () => {
    const pool = createPool()
    const answers = [changed('lab'), changed('busy'), changed('done')]
    pool.answer('event.from', () => answers.shift() ?? '')
    expect((await xe(hostFor(pool), 'event-wait class=pool name-label=done')).exit).toBe(0)
    expect(pool.done).toEqual([
      'event.from(["pool"], , 30)',
      'event.from(["pool"], 1,1, 30)',
      'event.from(["pool"], 1,1, 30)',
    ])
  })
})
