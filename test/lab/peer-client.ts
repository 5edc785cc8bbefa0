/** npm's `xen-api` at the coordinator of a lab: logged in, with all objects read; it logs out in the end. */
import type { Xapi } from 'xen-api'
import type { TestPool } from './test-pool.js'

export async function withXenApi(
  pool: TestPool,
  transport: string,
  work: (xapi: InstanceType<typeof Xapi>) => Promise<void>,
): Promise<void> {
  const { Xapi } = await import('xen-api')
  const { address, tlsPort } = pool.host('xs1')
  const xapi = new Xapi({
    url: `https://${address}:${tlsPort}`,
    auth: { user: pool.document.username, password: pool.document.password },
    allowUnauthorized: true,
    transport,
    debounce: 1,
  })
  try {
    await xapi.connect()
    await xapi.objectsFetched
    await work(xapi)
  } finally {
    await xapi.disconnect()
  }
}
