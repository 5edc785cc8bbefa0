/** Programs that are not ours read what a host publishes: npm's xen-api and fast-xml-parser, and rrdtool. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { XMLParser } from 'fast-xml-parser'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { z } from 'zod'
import { labUse } from '../../../src/lab/index.js'
import { requirePart, skipHere } from '../../real-parts.js'
import { withXenApi } from '../peer-client.js'
import { usePool } from '../test-pool.js'
import { askHost, updatesOf } from './ask-host.js'

const pool = usePool({ hosts: 2, vms: 6, seed: 11, load: 'diurnal', speed: 60 })
const asRoot = () => `${pool.document.username}:${pool.document.password}`

const xport = z.object({
  meta: z.object({
    step: z.number(),
    end: z.number(),
    rows: z.number(),
    columns: z.number(),
    legend: z.object({ entry: z.array(z.string()) }),
  }),
  data: z.object({ row: z.array(z.object({ t: z.number(), v: z.array(z.union([z.number(), z.string()])) })) }),
})

test('both forms say the same', async () => {
  const query = `start=-1000&interval=60&host=true&cf=AVERAGE`
  const json = await updatesOf(pool, 'xs2', query)
  const { body } = await askHost(pool, 'xs2', `/rrd_updates?${query}`, { as: asRoot() })
  const parsed: unknown = new XMLParser().parse(body)
  const { meta, data } = z.object({ xport }).parse(parsed).xport
  expect({ ...meta, legend: meta.legend.entry, start: json.meta.start }).toEqual(json.meta)
  const valuesOf = (values: readonly (string | number)[]) => values.map(Number)
  expect(data.row.map(({ t, v }) => [t, ...valuesOf(v)])).toEqual(
    json.data.map(({ t, values }) => [t, ...valuesOf(values)]),
  )
})

/** This client goes to the port of its protocol, whatever port it has logged in at. */
test('xen-api gets the metrics of each host, as Xen Orchestra does, and follows a VM to its host', async (context) => {
  if (pool.host('xs1').tlsPort !== 443) return skipHere(context, 'the hosts of this lab do not listen on 443')
  await withXenApi(pool, 'json-rpc', async (xapi) => {
    const hosts = Object.values(xapi.objects.all).filter(({ $type }) => $type === 'host')
    expect(hosts).toHaveLength(2)
    for (const host of hosts) {
      const query = {
        cf: 'AVERAGE',
        host: 'true',
        interval: 60,
        json: 'true',
        start: Math.floor(Date.now() / 1000) - 7140,
      }
      const response = await xapi.getResource('/rrd_updates', { host, query })
      const { meta, data } = JSON.parse(await response.body.text())
      expect(meta.step).toBe(60)
      expect(data.length).toBeGreaterThan(115)
      expect(meta.legend).toContain(`AVERAGE:host:${host.uuid}:cpu_avg`)
    }
    const { vms } = await labUse(pool.root)
    const away = vms.find((vm) => vm.host === 'xs2')
    const coordinator = hosts.find(({ uuid }) => uuid === pool.host('xs1').uuid)
    const dump = await xapi.getResource('/vm_rrd', {
      host: coordinator,
      query: { uuid: away?.uuid ?? '', json: 'true' },
    })
    expect(JSON.parse(await dump.body.text()).rra).toHaveLength(4)
  })
})

describe.skipIf(!requirePart('rrdtool'))('rrdtool restores', () => {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-rrd-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let vm = ''
  beforeAll(async () => {
    const { vms } = await labUse(pool.root)
    vm = vms.find(({ host }) => host === 'xs2')?.uuid ?? ''
  })

  it.each([
    ['/host_rrd', 'cpu_avg', 10],
    ['/vm_rrd?uuid=VM', 'cpu_usage', 4],
  ])('%s, and reads %s from it', async (path, source, archives) => {
    const { body } = await askHost(pool, 'xs2', path.replace('VM', vm), { as: asRoot(), accept: 'text/xml' })
    const [dump, restored] = [join(folder, `${source}.xml`), join(folder, `${source}.rrd`)]
    const names = [...body.matchAll(/<name>([^<]*)<\/name>/g)].map(([, name]) => name)
    writeFileSync(dump, withShortNames(body))
    run('restore', '--force-overwrite', dump, restored)
    const info = run('info', restored)
    expect(info).toContain('step = 5')
    expect(new Set(info.match(/^rra\[\d+\]/gm)).size).toBe(archives)
    const last = Number(run('last', restored))
    expect(Math.abs(last - Date.now() / 1000)).toBeLessThan(30)

    const updates = await updatesOf(pool, 'xs2', `start=${last - 400}&host=true`)
    const index = updates.meta.legend.findIndex(
      (entry) => entry.endsWith(`:${source}`) && (source === 'cpu_avg' || entry.includes(vm)),
    )
    const published = new Map(updates.data.map(({ t, values }) => [t, Number(values[index])]))
    const fetched = run('fetch', restored, 'AVERAGE', '-r', '5', '-s', String(last - 300), '-e', String(last - 5))
    const rows = fetched.split('\n').flatMap((line) => {
      const [, time, values] = /^(\d+): (.*)$/.exec(line) ?? []
      return time && values ? [{ time: Number(time), value: Number(values.split(/\s+/)[names.indexOf(source)]) }] : []
    })
    expect(rows.length).toBeGreaterThan(50)
    for (const { time, value } of rows) expect(value).toBeCloseTo(published.get(time) ?? Number.NaN, 5)
  })

  /** rrdtool's names have nineteen letters at most, xcp-rrdd's have more. */
  function withShortNames(dump: string): string {
    let number = 0
    return dump.replace(/<name>[^<]*<\/name>/g, () => `<name>source${number++}</name>`)
  }

  function run(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync('rrdtool', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`rrdtool ${args[0]}: ${stderr}`)
    return stdout
  }
})
