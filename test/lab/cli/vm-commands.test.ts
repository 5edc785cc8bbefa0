/** The commands about VMs, hosts and what belongs to them, typed at the real `xe` into a lab that runs. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { buildXe, type Run, type XeProgram } from '../../xe/program.js'
import { usePool } from '../test-pool.js'

const pool = usePool({ hosts: 3, vms: 9, seed: 7, speed: 600 })
let program: XeProgram
beforeAll(async () => {
  program = await buildXe()
})
afterAll(() => program.remove())

const xe = (...words: string[]): Promise<Run> => program.run(words, { env: { XE_ROOT: pool.host('xs1').root } })

/** The one value that a command prints with --minimal. */
async function value(...words: string[]): Promise<string> {
  const { stdout, stderr } = await xe(...words, '--minimal')
  if (stderr !== '') throw new Error(stderr)
  return stdout.trimEnd()
}

async function guestsOn(host: string): Promise<string[]> {
  const uuids = await value('vm-list', `resident-on=${pool.host(host).uuid}`, 'is-control-domain=false', 'params=uuid')
  return uuids === '' ? [] : uuids.split(',')
}

async function place(vm: string): Promise<string> {
  const [state, host] = await Promise.all(
    ['power-state', 'resident-on'].map((name) => value('vm-param-get', `uuid=${vm}`, `param-name=${name}`)),
  )
  const name = pool.document.hosts.find(({ uuid }) => uuid === host)?.name
  return name === undefined ? String(state) : `${state} on ${name}`
}

describe('a VM', () => {
  const lives: [commands: string, end: RegExp][] = [
    ['vm-shutdown uuid=VM', /^halted$/],
    ['vm-start uuid=VM on=xs2', /^running on xs2$/],
    ['vm-suspend vm=VM', /^suspended$/],
    ['vm-resume vm=VM on=xs3', /^running on xs3$/],
    ['vm-migrate vm=VM host=xs2 live=true', /^running on xs2$/],
    ['vm-migrate vm=VM host-uuid=XS1', /^running on xs1$/],
    ['vm-reboot uuid=VM', /^running on xs1$/],
    ['vm-pause uuid=VM', /^paused on xs1$/],
    ['vm-unpause uuid=VM', /^running on xs1$/],
    ['vm-shutdown uuid=VM --force', /^halted$/],
    ['vm-start uuid=VM paused=true', /^paused on xs\d$/],
    ['vm-unpause uuid=VM', /^running on xs\d$/],
  ]
  test('lives through all of them, one after the other', async () => {
    const [vm = ''] = await guestsOn('xs1')
    for (const [command, end] of lives) {
      const words = command.replace('VM', vm).replace('XS1', pool.host('xs1').uuid).split(' ')
      expect({ command, ...(await xe(...words)) }).toMatchObject({ command, stdout: '', stderr: '', exitCode: 0 })
      expect(await place(vm), command).toMatch(end)
    }
    expect(await value('task-list')).toBe('')
  })

  test('shows how far it is, when asked', async () => {
    const [vm = ''] = await guestsOn('xs2')
    const { stderr } = await xe('vm-suspend', `uuid=${vm}`, '--progress')
    expect(stderr).toMatch(/^(\r +\d+% [|/\\-] #*)+\n$/)
    expect(stderr).toMatch(/\r 100% \| #{70}\n$/)
    await xe('vm-resume', `uuid=${vm}`)
  })

  const refusals: [command: string, stderr: RegExp][] = [
    [
      'vm-start uuid=VM',
      /^You attempted an operation on a VM that was not .*\nvm: VM \(.*\)\nexpected: halted\nactual: running\n$/,
    ],
    ['vm-migrate vm=VM', /^Error: No destination host specified\n$/],
    ['vm-migrate vm=VM host=nobody', /^Error: Host nobody not found\n$/],
    ['vm-migrate vm=VM host=xs2 live=perhaps', /^Error: Failed to parse parameter 'live': Expected /],
    ['vm-param-set uuid=VM memory-static-max=2GB', /Unknown suffix: 'GB' \(try KiB, MiB, GiB or TiB\)\n$/],
    ['vm-param-set uuid=VM memory-static-max=lots', /expecting an integer \(possibly with suffix\)\n$/],
    ['vm-suspend vm=nobody', /^Error: No matching VMs found\n$/],
    ['vm-suspend', /^Error: Multiple matches VMs found\. --multiple required to complete the operation\n$/],
    ['vm-suspend nonsense=1', /^Error: Unknown field 'nonsense'\n$/],
    ['vm-reset-powerstate uuid=VM', /^Error: This operation is dangerous and may cause data loss\. /],
    ['host-enable', /^Error: Multiple matching hosts found\. --multiple required to complete the operation\n$/],
    [
      'host-evacuate',
      /^Error: Multiple matching hosts found\. Operation can only be performed on one host at a time\n$/,
    ],
    ['task-cancel uuid=x', /^The uuid you supplied was invalid\.\ntype: task\nuuid: x\n$/],
    ['message-create name=n priority=high body=b', /^Error: Priority field should be an integer\n$/],
    ['message-create name=n priority=1 body=b', /^Error: Need one of: vm-uuid, host-uuid, sr-uuid or pool-uuid\n$/],
    ['message-destroy', /^Error: Need one of uuid, uuids\n$/],
    [
      'vm-group-create name-label=g placement=random',
      /^The value given is invalid\nfield: placement\nvalue: random\n$/,
    ],
  ]
  it.each(refusals)('%s is refused', async (command, stderr) => {
    const [vm = ''] = await guestsOn('xs2')
    const run = await xe(...command.replace('VM', vm).split(' '))
    expect({ ...run, stderr: run.stderr.replace(vm, 'VM') }).toMatchObject({ stdout: '', exitCode: 1 })
    expect(run.stderr.replace(vm, 'VM')).toMatch(stderr)
  })

  test('that fits nowhere: what is in the way on each host', async () => {
    const [vm = ''] = await guestsOn('xs1')
    await xe('vm-shutdown', `uuid=${vm}`)
    const memory = ['static-max', 'dynamic-max', 'dynamic-min']
    const give = (size: string) => xe('vm-param-set', `uuid=${vm}`, ...memory.map((name) => `memory-${name}=${size}`))
    expect(await give('9TiB')).toMatchObject({ stderr: '', exitCode: 0 })
    expect(await xe('vm-start', `uuid=${vm}`)).toEqual({
      stdout: [
        'There are no suitable hosts to start this VM on.',
        'The following table provides per-host reasons for why the VM could not be started:',
        '',
        'xs1    : Cannot start here [Not enough free memory]',
        '    xs2: Cannot start here [Not enough free memory]',
        '    xs3: Cannot start here [Not enough free memory]\n\n\n',
      ].join('\n'),
      stderr: 'There were no servers available to complete the specified operation.\n',
      exitCode: 1,
    })
    expect((await give('1 GiB')).exitCode).toBe(0)
    expect(await value('vm-param-get', `uuid=${vm}`, 'param-name=memory-static-max')).toBe('1073741824')
    expect((await xe('vm-start', `uuid=${vm}`)).stderr).toBe('')
  })

  test('of several, each is tried, and those that failed are named', async () => {
    const [halted = '', ...others] = await guestsOn('xs3')
    await xe('vm-shutdown', `uuid=${halted}`)
    const { stdout, exitCode } = await xe('vm-start', 'tags:contains=none', '--multiple')
    expect([stdout, exitCode]).toEqual(['', 1])
    const run = await xe('vm-start', '--multiple', 'is-control-domain=false')
    expect(run.exitCode).toBe(1)
    expect(run.stdout.match(/^operation failed on [0-9a-f-]{36}: You attempted an operation/gm)).toHaveLength(8)
    expect(await place(halted)).toMatch(/^running on/)
    expect(others).not.toContain(halted)
  })
})

describe('hosts', () => {
  test('are emptied, taken out of service and back', async () => {
    expect((await xe('host-disable', 'host=xs3')).exitCode).toBe(0)
    expect(await value('host-param-get', `uuid=${pool.host('xs3').uuid}`, 'param-name=enabled')).toBe('false')
    expect(await xe('host-evacuate', 'host=xs3', 'batch-size=2')).toMatchObject({ stdout: '', stderr: '', exitCode: 0 })
    expect(await guestsOn('xs3')).toEqual([])
    expect((await xe('host-enable', 'name-label=xs3')).exitCode).toBe(0)
    expect(await value('host-list', 'enabled=true', 'params=name-label')).toBe('xs1,xs2,xs3')
    expect((await xe('host-compute-free-memory', 'host=xs3')).stdout).toMatch(/^\d{9,}\n$/)
  })

  test('tell which VM cannot leave', async () => {
    const [vm = ''] = await guestsOn('xs2')
    await xe('vm-param-add', `uuid=${vm}`, 'param-name=blocked-operations', 'pool_migrate=licence')
    const { stdout } = await xe('host-get-vms-which-prevent-evacuation', `uuid=${pool.host('xs2').uuid}`)
    expect(stdout).toContain(`uuid ( RO)          : ${vm}\n`)
    expect(stdout).toMatch(/\n {8}reason \( RO\): OPERATION_BLOCKED,/)
    await xe('vm-param-remove', `uuid=${vm}`, 'param-name=blocked-operations', 'param-key=pool_migrate')
  })
})

describe('what belongs to them', () => {
  test('a group is made, joined, left and removed', async () => {
    const [vm = ''] = await guestsOn('xs1')
    const group = (await xe('vm-group-create', 'name-label=apart', 'placement=anti_affinity')).stdout.trimEnd()
    expect(group).toMatch(/^[0-9a-f-]{36}$/)
    await xe('vm-param-set', `uuid=${vm}`, `groups=${group}`)
    expect(await value('vm-param-get', `uuid=${vm}`, 'param-name=groups')).toBe(group)
    expect(await value('vm-group-list', 'params=vm-uuids')).toBe(vm)
    await xe('vm-param-set', `uuid=${vm}`, 'groups=')
    expect((await xe('vm-group-destroy', `uuid=${group}`)).exitCode).toBe(0)
    expect(await value('vm-group-list')).toBe('')
  })

  test('a message is made, listed and removed', async () => {
    const [vm = ''] = await guestsOn('xs1')
    await xe('message-create', 'name=NOTE', 'priority=3', 'body=read me', `vm-uuid=${vm}`)
    const { stdout } = await xe('message-list', 'name=NOTE')
    const lines = stdout.split('\n').slice(1, 7)
    const told = ['name ( RO): NOTE', 'priority ( RO): 3', 'class ( RO): VM', `obj-uuid ( RO): ${vm}`]
    expect(lines.map((line) => line.trim()).filter((line) => !line.startsWith('timestamp'))).toEqual([
      ...told,
      'body ( RO): read me',
    ])
    expect((await xe('message-destroy', `uuid=${await value('message-list', 'name=NOTE')}`)).exitCode).toBe(0)
    expect(await value('message-list', 'name=NOTE')).toBe('')
  })

  const lists: [command: string, count: number, sample: RegExp][] = [
    ['sr-list shared=true params=host', 1, /^<shared>$/],
    ['sr-list shared=false params=host', 3, /^xs\d,xs\d,xs\d$/],
    ['pbd-list params=host-name-label currently-attached=true sr-name-label=NONE', 0, /^$/],
    ['vif-list params=network-name-label device=0', 9, /^[^<]+$/],
    ['vbd-list params=vdi-name-label', 9, /disk 0/],
    ['vdi-list params=type', 9, /^System(,System){8}$/],
    ['pif-list management=true params=speed', 3, /^10000 Mbit\/s/],
    ['pif-list management=true params=duplex', 3, /^full/],
    ['network-list params=bridge', 3, /^xenbr0,xenbr1,xapi0$/],
  ]
  it.each(lists)('%s', async (command, count, sample) => {
    const found = await value(...command.split(' '))
    expect(found).toMatch(sample)
    expect(found === '' ? [] : found.split(',')).toHaveLength(count)
  })
})
