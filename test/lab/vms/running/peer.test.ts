/** npm's `xen-api` follows a lab's VMs while they move: a client that is not ours sees records and events as on a pool. */
import { expect, it } from 'vitest'
import { withXenApi } from '../../peer-client.js'
import { usePool } from '../../test-pool.js'

const pool = usePool({ hosts: 2, vms: 6, seed: 7, speed: 20 })

it.each(['json-rpc', 'xml-rpc'])('%s', async (transport) => {
  await withXenApi(pool, transport, async (xapi) => {
    const all = () => Object.values(xapi.objects.all)
    const hosts = all().filter(({ $type }) => $type === 'host')
    const vm = all().find((object) => object.$type === 'VM' && object.is_control_domain === false)
    const [source, target] = [vm?.resident_on, hosts.find(({ $ref }) => $ref !== vm?.resident_on)?.$ref]
    if (!vm || !target) throw new Error('nothing to move')
    const disk = all().find((object) => object.$type === 'VBD' && object.VM === vm.$ref)
    expect(disk).toMatchObject({ currently_attached: true })

    const seen: string[] = []
    const look = () => {
      const { resident_on, scheduled_to_be_resident_on, current_operations = {} } = xapi.getObjectByRef(vm.$ref)
      const words = [
        resident_on === target && 'there',
        scheduled_to_be_resident_on === target && 'going',
        ...Object.values(current_operations),
      ]
      seen.push(words.filter(Boolean).join(' '))
    }
    xapi.objects.on('update', look)
    expect(await xapi.callAsync('VM.pool_migrate', vm.$ref, target, { live: 'true' })).toBe('')
    await xapi.barrier(vm.$ref)
    xapi.objects.removeListener('update', look)
    expect(seen).toContain('going pool_migrate')
    expect(xapi.getObjectByRef(vm.$ref)).toMatchObject({
      resident_on: target,
      power_state: 'Running',
      current_operations: {},
    })
    expect(xapi.getObjectByRef(target).resident_VMs).toContain(vm.$ref)

    // What a pool refuses reaches the client as its error.
    const refused = xapi.callAsync('VM.start', vm.$ref, false, false)
    await expect(refused).rejects.toMatchObject({ code: 'VM_BAD_POWER_STATE', params: [vm.$ref, 'halted', 'running'] })
    await xapi.callAsync('VM.pool_migrate', vm.$ref, source, {})
    const messages = all().filter((object) => object.$type === 'message' && object.name === 'VM_MIGRATED')
    expect(messages.length).toBeGreaterThanOrEqual(1)
  })
})
