/** What a pool makes of an appliance's advice when it starts a VM or empties a host. */
import { createServer, type Server } from 'node:https'
import { afterAll, beforeAll, beforeEach, expect, it, test } from 'vitest'
import { decodeRequest, encodeRefusal, encodeReply } from '../../../../src/wlb/index.js'
import { createSelfSigned } from '../../../../src/x509/index.js'
import { usePool } from '../../test-pool.js'
import { LivePool } from './live-pool.js'

const NAME = 'wlb.lab.internal'
const live = new LivePool(
  usePool({ hosts: 3, vms: 6, seed: 7, speed: 600, addHosts: [{ name: NAME, address: '127.0.0.1' }] }),
)

let server: Server
/** Stars for each host, in the order of their names; undefined: an error instead. */
let stars: readonly number[] | undefined
/** Where the VMs of a host go, by uuid. */
let rows: readonly { readonly vmUuid: string; readonly hostUuid: string }[] = []
let asked: string[] = []

beforeAll(async () => {
  const { certificatePem, privateKeyPem } = await createSelfSigned({ hostname: NAME, addresses: [], now: new Date() })
  server = createServer({ cert: certificatePem, key: privateKeyPem, ecdhCurve: 'auto' }, async (request, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    const text = answer(body)
    response.writeHead(200, { connection: 'close', 'content-length': Buffer.byteLength(text) }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const pool = String((await live.records('pool'))[0]?.[0])
  await live.call('pool.set_wlb_verify_cert', pool, false)
  await live.call('pool.initialize_wlb', `${NAME}:${port}`, 'wlbuser', 'secret', 'root', live.pool.document.password)
  await live.call('pool.set_wlb_enabled', pool, true)
  // Memory decides nothing here.
  for (const [vm] of await live.records('VM')) await live.call('VM.set_memory_dynamic_min', vm, 2n ** 28n)
})
afterAll(() => void server.close())
beforeEach(() => {
  asked = []
  rows = []
})

function answer(body: string): string {
  const decoded = decodeRequest(body)
  if (decoded.kind !== 'call') return encodeRefusal('AddXenServer', 4007, 'not understood')
  const { call } = decoded
  asked.push(call.method)
  if (call.method === 'AddXenServer') return encodeReply({ method: call.method, result: { id: '1' } })
  if (call.method === 'VMGetRecommendations' && stars) {
    const recommendations = live.pool.document.hosts.map(({ uuid }, index) => {
      const given = stars?.[index] ?? 0
      const zeroScoreReason = given === 0 ? 'NotEnoughMemory' : 'None'
      return { hostUuid: uuid, recommendationId: String(index + 7), stars: given, zeroScoreReason }
    })
    return encodeReply({ method: call.method, result: { recommendations } })
  }
  if (call.method === 'HostGetRecommendations' && stars) {
    const recommendations = rows.map((row, index) => ({ ...row, recommendationId: String(index + 1) }))
    return encodeReply({ method: call.method, result: { recommendations } })
  }
  return encodeRefusal(call.method, 4012, 'later')
}

const halted = async () => {
  const vm = await live.guestOn('xs2').catch(() => live.guestOn('xs3'))
  await live.call('VM.hard_shutdown', vm)
  return vm
}

const places: [what: string, given: readonly number[], host: string][] = [
  ['the most stars', [1, 2, 5], 'xs3'],
  ['no stars are no advice', [0, 4, 0], 'xs2'],
]

it.each(places)('a VM starts where WLB says: %s', async (_, given, host) => {
  stars = given
  const vm = await halted()
  const task = String(await live.call('Async.VM.start', vm, false, false))
  const { status, other_config } = await live.taskEnd(task)
  expect(status).toBe('success')
  expect(await live.whereIs(vm)).toBe(`Running on ${host}`)
  expect(other_config).toEqual({
    wlb_advised: String(Number(host.slice(2)) + 6),
    wlb_action: 'Async.VM.start',
    wlb_action_obj_type: 'VM',
    wlb_action_obj_ref: vm,
  })
})

test('a host that cannot take it has no stars, whatever WLB says', async () => {
  stars = [1, 3, 5]
  const vm = await halted()
  const xs3 = await live.hostRef('xs3')
  await live.call('host.disable', xs3)
  expect(Object(await live.call('VM.retrieve_wlb_recommendations', vm))[xs3]).toEqual([
    'WLB',
    '0.0',
    '9',
    `HOST_DISABLED;${xs3}`,
  ])
  await live.call('VM.start', vm, false, false)
  expect(await live.whereIs(vm)).toBe('Running on xs2')
  await live.call('host.enable', xs3)
})

test('an answer that is an error: the pool chooses, and a message says so', async () => {
  stars = undefined
  const vm = await halted()
  const { name_label, uuid } = await live.record('VM', vm)
  await live.call('VM.start', vm, false, false)
  expect(await live.whereIs(vm)).toMatch(/^Running on/)
  const [message] = (await live.records('message')).filter(([, { name }]) => name === 'WLB_CONSULTATION_FAILED')
  expect(message?.[1]).toMatchObject({ priority: 3n, cls: 'VM', obj_uuid: uuid })
  expect(message?.[1].body).toBe(
    `Wlb consultation for VM '${name_label}' failed (pool uuid: ${live.pool.document.pool})`,
  )
})

test('not asked: where a host is given, and where the pool is told not to', async () => {
  stars = [1, 1, 5]
  const [pool = ''] = (await live.records('pool')).map(([ref]) => ref)
  const vm = await halted()
  await live.call('VM.start_on', vm, await live.hostRef('xs2'), false, false)
  await live.call('VM.hard_shutdown', vm)
  await live.call('pool.add_to_other_config', pool, 'wlb_choose_host_disable', 'TRUE')
  await live.call('VM.start', vm, false, false)
  expect(asked).toEqual([])
  await live.call('pool.remove_from_other_config', pool, 'wlb_choose_host_disable')
})

test('an evacuation goes where WLB says; a VM it leaves out does not fit; the pool’s own refusals count', async () => {
  stars = [5, 5, 5]
  const [xs2, xs3] = [await live.hostRef('xs2'), await live.hostRef('xs3')]
  for (const vm of await live.guestsOn('xs3')) await live.call('VM.pool_migrate', vm, xs2, {})
  const guests = await live.guestsOn('xs2')
  const target = live.pool.host('xs3').uuid
  const uuids = await Promise.all(guests.map(async (vm) => String((await live.record('VM', vm)).uuid)))
  rows = uuids.slice(1).map((vmUuid) => ({ vmUuid, hostUuid: target }))
  const [first = '', second = ''] = guests
  expect(await live.outcome('host.evacuate', xs2)).toBe(`HOST_NOT_ENOUGH_FREE_MEMORY ${first}`)

  await live.call('VM.add_to_blocked_operations', second, 'pool_migrate', 'pinned')
  const plan = Object(await live.call('host.retrieve_wlb_evacuate_recommendations', xs2))
  expect([plan[first], plan[second]]).toEqual([
    ['HOST_NOT_ENOUGH_FREE_MEMORY', first],
    ['OPERATION_BLOCKED', second, 'pinned'],
  ])
  await live.call('VM.remove_from_blocked_operations', second, 'pool_migrate')

  rows = uuids.map((vmUuid) => ({ vmUuid, hostUuid: target }))
  expect(await live.outcome('host.evacuate', xs2)).toBe('ok')
  expect((await live.record('host', xs3)).resident_VMs).toEqual(expect.arrayContaining(guests))
})
