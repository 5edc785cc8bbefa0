/** The client most people use, npm's `xen-api`, over both protocols: logs in, reads, and follows events. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { withXenApi } from './peer-client.js'
import { usePool } from './test-pool.js'

const pool = usePool({ hosts: 2 })

it.each(['json-rpc', 'xml-rpc'])('%s', async (transport) => {
  await withXenApi(pool, transport, async (xapi) => {
    const objects = Object.values(xapi.objects.all)
    const ofType = (type: string) => objects.filter(({ $type }) => $type === type)
    expect(xapi.pool.uuid).toBe(pool.document.pool)
    expect(ofType('host').map(({ name_label }) => name_label)).toEqual(['xs1', 'xs2'])
    expect(ofType('Certificate').map(({ type }) => type)).toEqual(['host', 'host_internal', 'host', 'host_internal'])
    expect(ofType('VM').length).toBe(6)

    const changed = once(xapi.objects, 'update')
    await xapi.call('pool.add_tags', xapi.pool.$ref, transport)
    await changed
    expect(xapi.pool.tags).toContain(transport)
    await xapi.barrier()

    const task = await xapi.callAsync('pool.certificate_sync')
    expect(task).toBe('')
  })
})
