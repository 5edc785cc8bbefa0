/** `/rrd_updates`, `/host_rrd` and `/vm_rrd` of a running pool, asked as clients ask. */
import { beforeAll, describe, expect, it, test } from 'vitest'
import { labLoad, labUse } from '../../../src/lab/index.js'
import { TestPool, usePool } from '../test-pool.js'
import { askHost, column, updatesOf } from './ask-host.js'

const pool = usePool({ hosts: 2, vms: 8, seed: 7, load: 'bursty', speed: 60 })

const uuids = { elsewhere: '', here: '' }
const credentials: Record<string, string | undefined> = { nobody: undefined }
let session = ''

beforeAll(async () => {
  const { username, password, reader } = pool.document
  credentials.root = `${username}:${password}`
  credentials.reader = `${reader?.username}:${reader?.password}`
  credentials.stranger = `${username}:wrong`
  session = String(await pool.raw('xs1', 'session.login_with_password', 'root', ''))
  const { vms } = await labUse(pool.root)
  uuids.here = vms.find(({ host }) => host === 'xs2')?.uuid ?? ''
  uuids.elsewhere = vms.find(({ host }) => host === 'xs1')?.uuid ?? ''
})

/** Words in capitals stand for what only the running pool knows. */
function fill(path: string): string {
  const known = { SESSION: session, HERE: uuids.here, AWAY: uuids.elsewhere }
  return Object.entries(known).reduce((text, [word, value]) => text.replaceAll(word, value), path)
}

const UNKNOWN = '00000000-0000-4000-8000-000000000000'

describe('who asks what of a member', () => {
  const cases: [who: string, path: string, status: number][] = [
    ['nobody', '/rrd_updates?start=-60', 401],
    ['stranger', '/rrd_updates?start=-60', 401],
    ['nobody', '/rrd_updates?start=-60&session_id=OpaqueRef:none', 401],
    ['nobody', '/rrd_updates?start=-60&session_id=SESSION', 200],
    ['root', '/rrd_updates?start=-60', 200],
    ['reader', '/rrd_updates?start=-60', 200],
    ['nobody', '/rrd_updates', 401],
    ['root', '/rrd_updates', 400],
    ['root', '/rrd_updates?start=', 500],
    ['root', '/rrd_updates?start=yesterday', 500],
    ['root', '/rrd_updates?start=1e9', 500],
    ['root', '/rrd_updates?start=1.5', 500],
    ['root', '/rrd_updates?start=0', 200],
    ['root', '/rrd_updates?start=-99999999999', 200],
    ['root', '/rrd_updates?start=9223372036854775807', 200],
    ['root', '/rrd_updates?start=9223372036854775808', 500],
    ['root', '/rrd_updates?start=99999999999999999999999999', 500],
    ['root', '/rrd_updates?start=-60&interval=nothing', 200],
    ['root', '/rrd_updates?start=-60&interval=86400', 200],
    ['root', '/rrd_updates?start=-60&interval=86405', 500],
    ['root', '/rrd_updates?start=-60&cf=NONSENSE', 200],
    ['root', '/rrd_updates?start=-60&cf=LAST', 500],
    ['root', '/rrd_updates?start=-60&cf=MAX', 500], // VMs have averages only
    ['root', '/rrd_updates?start=-60&cf=MAX&host=true&vm_uuid=none', 200],
    ['root', `/rrd_updates?start=-60&vm_uuid=${UNKNOWN}`, 500],
    ['root', `/rrd_updates?start=-60&vm_uuid=${UNKNOWN}&host=true`, 200],
    ['root', '/rrd_updates?start=-60&vm_uuid=AWAY', 500],
    ['root', '/rrd_updates?start=-60&vm_uuid=HERE', 200],
    ['root', '/host_rrd', 200],
    ['stranger', '/host_rrd', 401],
    ['root', '/vm_rrd?uuid=HERE', 200],
    ['root', '/vm_rrd?uuid=AWAY', 302],
    ['root', '/vm_rrd', 400],
    ['root', `/vm_rrd?uuid=${UNKNOWN}`, 500],
    ['nobody', '/vm_rrd?uuid=HERE', 401],
  ]
  it.each(cases)('%s: %s: %d', async (who, path, status) => {
    const answer = await askHost(pool, 'xs2', fill(path), { as: credentials[who] })
    expect(answer.status).toBe(status)
  })
})

describe('which form', () => {
  const cases: [accept: string | undefined, query: string, type: string][] = [
    [undefined, '', 'text/xml'],
    [undefined, '&json=true', 'application/json'],
    [undefined, '&json=false', 'application/json'], // its presence counts
    ['*/*', '', 'application/json'],
    ['text/xml', '', 'text/xml'],
    ['text/*', '', 'text/xml'],
    ['application/json', '', 'application/json'],
    ['text/xml, application/json', '', 'application/json'],
    ['application/json;q=0.5, text/xml', '', 'text/xml'],
    ['text/xml', '&json=true', 'application/json'],
    ['image/png', '', 'text/xml'],
  ]
  it.each(cases)('Accept: %s, query "%s": %s', async (accept, query, type) => {
    const asked = { as: credentials.root, ...(accept !== undefined && { accept }) }
    const { headers, body } = await askHost(pool, 'xs1', `/rrd_updates?start=-60${query}`, asked)
    expect(headers['content-type']).toBe(type)
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(body.startsWith(type === 'text/xml' ? '<?xml version="1.0" encoding="UTF-8"?>' : '{"meta":{"start":')).toBe(
      true,
    )
  })
})

describe('which archive', () => {
  const cases: [query: string, step: number, leastRows: number, mostRows: number][] = [
    ['start=-60', 5, 12, 13],
    ['start=-595', 5, 119, 120],
    ['start=-605', 60, 10, 11],
    ['start=-60&interval=60', 60, 1, 2],
    ['start=-7100', 60, 118, 119],
    ['start=-7205', 3600, 1, 3],
    ['start=-60&interval=61', 60, 1, 2], // in whole samples
    ['start=-604000', 3600, 167, 168],
    ['start=-604900', 86_400, 6, 8],
    ['start=0', 86_400, 366, 366],
    ['start=-60&interval=3600', 3600, 0, 1],
    ['start=9000000000', 5, 0, 0],
  ]
  it.each(cases)('%s: a row every %d s', async (query, step, leastRows, mostRows) => {
    const { meta, data } = await updatesOf(pool, 'xs1', query)
    expect(meta.step).toBe(step)
    expect(data.length).toBe(meta.rows)
    expect(data.length).toBeGreaterThanOrEqual(leastRows)
    expect(data.length).toBeLessThanOrEqual(mostRows)
    expect(meta.columns).toBe(meta.legend.length)
    expect(meta.end % step).toBe(0)
    for (const [index, { t, values }] of data.entries()) {
      expect(t).toBe(meta.end - index * step)
      expect(values).toHaveLength(meta.columns)
    }
  })
})

test('all sources that balancing needs are there, in the order of their names', async () => {
  const { meta } = await updatesOf(pool, 'xs2', 'start=-60&host=true')
  const of = (owner: string) => {
    const all = meta.legend.filter((entry) => entry.startsWith(`AVERAGE:${owner}:`))
    return all.map((entry) => entry.slice(`AVERAGE:${owner}:`.length))
  }
  const host = of(`host:${pool.host('xs2').uuid}`)
  const vm = of(`vm:${uuids.here}`)
  expect(host).toEqual(host.toSorted())
  expect(vm).toEqual(vm.toSorted())
  expect(host).toEqual(
    expect.arrayContaining(
      ['cpu0', 'cpu_avg', 'loadavg', 'hostload', 'running_vcpus', 'running_domains', 'memory_total_kib'].concat([
        'memory_free_kib',
        'pif_eth0_rx',
        'pif_eth0_tx',
        'pif_aggr_rx',
        'pif_aggr_tx',
      ]),
    ),
  )
  const runStates = ['fullrun', 'full_contention', 'concurrency_hazard', 'blocked', 'partial_run', 'partial_contention']
  const disk = ['read', 'write', 'iops_read', 'iops_write', 'iops_total', 'iowait', 'read_latency', 'write_latency']
  expect(vm).toEqual(
    expect.arrayContaining([
      'cpu0',
      'cpu_usage',
      'memory',
      'memory_target',
      'memory_internal_free',
      'vif_0_rx',
      'vif_0_tx',
      ...runStates.map((name) => `runstate_${name}`),
      ...disk.map((name) => `vbd_xvda_${name}`),
    ]),
  )
})

test('a minute is the mean of its samples, and the host the sum of its VMs', async () => {
  const samples = await updatesOf(pool, 'xs1', 'start=-580&host=true')
  const minutes = await updatesOf(pool, 'xs1', 'start=-400&interval=60&host=true&cf=AVERAGE')
  const name = `vm:${uuids.elsewhere}:cpu_usage`
  const bySample = new Map(samples.data.map(({ t }, index) => [t, column(samples, name)[index] ?? Number.NaN]))
  const checked = minutes.data.map(({ t }, index) => {
    const parts = Array.from({ length: 12 }, (_, part) => bySample.get(t - part * 5) ?? Number.NaN)
    const mean = parts.reduce((sum, part) => sum + part, 0) / 12
    if (!Number.isNaN(mean)) expect(column(minutes, name)[index]).toBeCloseTo(mean, 5)
    return mean
  })
  expect(checked.filter((mean) => !Number.isNaN(mean)).length).toBeGreaterThan(3)

  const { hosts, vms } = await labUse(pool.root)
  for (const host of hosts) {
    const guests = vms.filter((vm) => vm.host === host.name).reduce((sum, { cpu }) => sum + cpu, 0)
    expect(host.cpu).toBeCloseTo(guests + host.controlDomain.cpu, 2)
  }
})

test('a VM elsewhere: its host is named, with its port and the same query', async () => {
  const path = fill('/vm_rrd?uuid=AWAY&session_id=SESSION')
  const { headers } = await askHost(pool, 'xs2', path)
  const { address, tlsPort } = pool.host('xs1')
  const { host, pathname, search } = new URL(String(headers.location))
  expect(host).toBe(tlsPort === 443 ? address : `${address}:${tlsPort}`)
  expect(pathname + search).toBe(path)
})

test('a pinned demand is used at once, and no more than a machine has', async () => {
  const { vms } = await labUse(pool.root)
  const [vm] = vms.filter(({ host, vcpus }) => host === 'xs2' && vcpus >= 2)
  if (!vm) throw new Error('no VM of two vCPUs')
  const root = pool.root
  await expect(labLoad({ root, target: vm.name, cpu: 1.75, minutes: 5 })).resolves.toMatchObject({
    kind: 'vm',
    uuid: vm.uuid,
    minutes: 5,
  })
  const after = await labUse(root)
  expect(after.vms.find(({ uuid }) => uuid === vm.uuid)?.wanted).toBe(1.75)
  await labLoad({ root, target: 'xs1', cpu: 2 })
  expect((await labUse(root)).hosts.find(({ name }) => name === 'xs1')?.controlDomain.wanted).toBe(2)
  await expect(labLoad({ root, target: vm.uuid, cpu: 99 })).rejects.toMatchObject({ code: 'LAB_LOAD_TOO_MUCH' })
  await expect(labLoad({ root, target: 'nobody', cpu: 1 })).rejects.toMatchObject({ code: 'LAB_LOAD_UNKNOWN' })
})

test('the same seed: another pool has the same VMs with the same past', async () => {
  const other = new TestPool(pool.program)
  try {
    await other.up({ hosts: 2, vms: 8, seed: 7, load: 'bursty', speed: 60 })
    const year = async (asked: TestPool) => {
      const rows = await Promise.all(['xs1', 'xs2'].map((host) => updatesOf(asked, host, 'start=0&cf=AVERAGE')))
      const ofVms = rows.flatMap(({ meta, data }) =>
        meta.legend.map((entry, index) => [entry, data.map(({ t, values }) => `${t} ${values[index]}`)] as const),
      )
      return Object.fromEntries(ofVms)
    }
    const [one, two] = [await year(pool), await year(other)]
    expect(Object.keys(one).length).toBeGreaterThan(200)
    expect(two).toEqual(one)
  } finally {
    await other.remove()
  }
})

test('memory that is free is what XenAPI says', async () => {
  for (const { uuid, name } of pool.document.hosts) {
    const updates = await updatesOf(pool, name, 'start=-10&host=true&vm_uuid=none')
    const host = await pool.call('xs1', 'host.get_by_uuid', uuid)
    const metrics = await pool.call('xs1', 'host.get_metrics', host)
    const free = Number(await pool.call('xs1', 'host_metrics.get_memory_free', metrics))
    expect((column(updates, ':memory_free_kib')[0] ?? 0) * 1024).toBe(free)
    expect((await labUse(pool.root)).hosts.find((one) => one.uuid === uuid)?.memoryFreeBytes).toBe(free)
  }
})

test('a VM that moves takes its past with it, is halted without a host, and its archives are with the coordinator', async () => {
  const { vms } = await labUse(pool.root)
  const [vm] = vms.filter(({ host }) => host === 'xs1').sort((one, other) => one.memoryBytes - other.memoryBytes)
  if (!vm) throw new Error('no VM on xs1')
  const minutes = (host: string) => updatesOf(pool, host, `start=-3600&interval=60&vm_uuid=${vm.uuid}`)
  const before = await minutes('xs1')
  const ref = await pool.call('xs1', 'VM.get_by_uuid', vm.uuid)
  await pool.call('xs1', 'VM.pool_migrate', ref, await pool.ref('xs2'), { live: 'true' })
  const after = await minutes('xs2')
  expect(after.meta.legend).toEqual(before.meta.legend)
  const valuesAt = (updates: typeof before) => new Map(updates.data.map(({ t, values }) => [t, values]))
  // The newest minutes have the move in them, or are not over.
  const known = [...valuesAt(before)].filter(([time]) => time <= before.meta.end - 60)
  expect(known.length).toBeGreaterThan(50)
  for (const [time, values] of known) expect(valuesAt(after).get(time)).toEqual(values)
  const status = async (host: string, path: string) =>
    (await askHost(pool, host, path, { as: credentials.root })).status
  expect(await status('xs1', `/rrd_updates?start=-60&vm_uuid=${vm.uuid}`)).toBe(500)
  expect(await status('xs1', `/vm_rrd?uuid=${vm.uuid}`)).toBe(302)
  expect(await status('xs2', `/vm_rrd?uuid=${vm.uuid}`)).toBe(200)

  await pool.call('xs1', 'VM.hard_shutdown', ref)
  expect((await labUse(pool.root)).vms.find(({ uuid }) => uuid === vm.uuid)).toMatchObject({
    host: null,
    state: 'Halted',
    cpu: 0,
  })
  expect(await status('xs1', `/vm_rrd?uuid=${vm.uuid}`)).toBe(200)
  const { status: moved, headers } = await askHost(pool, 'xs2', `/vm_rrd?uuid=${vm.uuid}`, { as: credentials.root })
  expect(moved).toBe(302)
  expect(String(headers.location)).toContain(`/vm_rrd?uuid=${vm.uuid}&rrd_unarchive=`)
})

describe('faults', () => {
  test('no metrics: an internal error, on that host alone; then they are back', async () => {
    await pool.fault('no-metrics', 'xs2')
    const status = async (host: string, path: string) =>
      (await askHost(pool, host, path, { as: credentials.root })).status
    expect(await status('xs2', '/rrd_updates?start=-60')).toBe(500)
    expect(await status('xs2', '/host_rrd')).toBe(500)
    expect(await status('xs1', '/rrd_updates?start=-60')).toBe(200)
    await pool.fault('mend', 'xs2')
    expect(await status('xs2', '/rrd_updates?start=-60')).toBe(200)
  })

  test('nothing but unknown values', async () => {
    await pool.fault('nan-metrics', 'xs2')
    const { data } = await updatesOf(pool, 'xs2', 'start=-60&host=true')
    expect(new Set(data.flatMap(({ values }) => values))).toEqual(new Set(['NaN']))
    await pool.fault('mend', 'xs2')
    const mended = await updatesOf(pool, 'xs2', 'start=-60&host=true')
    expect(mended.data.flatMap(({ values }) => values)).not.toContain('NaN')
  })

  test('a clock that is an hour ahead moves the samples and nothing else', async () => {
    const before = await updatesOf(pool, 'xs2', 'start=-120')
    await pool.fault('clock', 'xs2')
    const ahead = await updatesOf(pool, 'xs2', 'start=-120')
    await pool.fault('mend', 'xs2')
    expect(ahead.meta.end - before.meta.end).toBeGreaterThanOrEqual(3600)
    expect(ahead.meta.end - before.meta.end).toBeLessThan(3660)
    const valueAt = ({ data }: typeof before, time: number) => data.find(({ t }) => t === time)?.values
    expect(valueAt(ahead, before.meta.end + 3600)).toEqual(valueAt(before, before.meta.end))
    expect((await updatesOf(pool, 'xs2', 'start=-120')).meta.end).toBeLessThan(ahead.meta.end)
  })

  test('late', { tags: ['long'] }, async () => {
    await pool.fault('slow-metrics', 'xs2')
    const startedMs = performance.now()
    await updatesOf(pool, 'xs2', 'start=-60')
    expect(performance.now() - startedMs).toBeGreaterThan(4_900)
    await pool.fault('mend', 'xs2')
  })

  test('without its coordinator a member still publishes; the session cannot be checked', async () => {
    const before = await updatesOf(pool, 'xs2', 'start=-60')
    await pool.fault('kill', 'xs1')
    const after = await updatesOf(pool, 'xs2', 'start=-60')
    expect(after.meta.legend).toEqual(before.meta.legend)
    const withSession = await askHost(pool, 'xs2', `/rrd_updates?start=-60&session_id=${session}`)
    expect(withSession.status).toBe(500)
    await pool.fault('start', 'xs1')
  })
})
