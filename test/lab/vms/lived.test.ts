/** What a pool lives through is in its archives: samples are awaited as they come, every five seconds. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { labLoad, labUse } from '../../../src/lab/index.js'
import { usePool } from '../test-pool.js'
import { askHost, column, updatesOf } from './ask-host.js'

const pool = usePool({ hosts: 2, vms: 4, seed: 7, load: 'flat' })
const LONGEST_WAIT_MS = 30_000

/** Waits until a host has published a sample of that second or a later one. */
async function sampled(host: string, seconds: number): Promise<void> {
  const deadline = Date.now() + LONGEST_WAIT_MS
  while ((await updatesOf(pool, host, 'start=-5')).meta.end < seconds) {
    if (Date.now() > deadline) throw new Error(`${host} has no sample of ${seconds}`)
    await pause(250)
  }
}

const nowSeconds = () => Math.floor(Date.now() / 1000)

test('a pinned load is in the samples, and what was before stays', { tags: ['long'] }, async () => {
  const { vms } = await labUse(pool.root)
  const [vm] = vms
  if (!vm?.host) throw new Error('no VM runs')
  const name = `vm:${vm.uuid}:cpu_usage`
  const before = await updatesOf(pool, vm.host, 'start=-300')
  await labLoad({ root: pool.root, target: vm.uuid, cpu: vm.vcpus })
  const pinned = nowSeconds()
  await sampled(vm.host, pinned + 8)
  const after = await updatesOf(pool, vm.host, 'start=-300')
  const values = new Map(after.data.map(({ t }, index) => [t, column(after, name)[index]]))
  expect(values.get(after.meta.end)).toBe(1)
  for (const [index, { t }] of before.data.entries()) {
    if (values.has(t)) expect(values.get(t)).toBe(column(before, name)[index])
  }
})

test('a host that was killed has a gap, and its VMs have ended', { tags: ['long'] }, async () => {
  const { vms } = await labUse(pool.root)
  const vm = vms.find(({ host }) => host === 'xs2')
  const uuid = vm?.uuid ?? ''
  await pool.fault('kill', 'xs2')
  const killed = nowSeconds()
  await sampled('xs1', killed + 12)
  await pool.fault('start', 'xs2')
  const host = await updatesOf(pool, 'xs2', 'start=-120&host=true')
  const busy = new Map(host.data.map(({ t }, index) => [t, column(host, ':cpu_avg')[index]]))
  const inGap = [...busy].filter(([time]) => time > killed + 5 && time <= killed + 10)
  expect(inGap).toEqual([[expect.any(Number), Number.NaN]])
  const earlier = [...busy].filter(([time]) => time < killed - 5)
  expect(earlier.length).toBeGreaterThan(15)
  for (const [, value] of earlier) expect(value).toBeGreaterThan(0)

  expect(host.meta.legend.some((entry) => entry.includes(uuid))).toBe(false)
  const as = `${pool.document.username}:${pool.document.password}`
  const { status, body } = await askHost(pool, 'xs1', `/vm_rrd?uuid=${uuid}&json=true`, { as })
  expect(status).toBe(200)
  const { ds, rra } = JSON.parse(body)
  const index = ds.findIndex(({ name }: { name: string }) => name === 'cpu_usage')
  const samples = rra[0].database.map((row: string[]) => row[index])
  expect(samples.at(-1)).toBe('NaN')
  expect(Number(samples.at(0))).toBeGreaterThan(0)
})
