/** A pool that cannot be asked counts as one that would refuse another certificate of its appliance. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../cli/program.js'
import { HOSTNAME, makeAuthority, readPair, useTrustStage } from './stage.js'

const stage = useTrustStage('node')

test('a coordinator that is down', async () => {
  await stage.reset({ verifies: false, connectedTo: HOSTNAME })
  expect(await stage.apply()).toMatch(/ all accepted host \| done$/)
  const authority = await makeAuthority()
  const [chain, key] = [join(stage.folder, 'chain.pem'), join(stage.folder, 'leaf.key')]
  writeFileSync(chain, authority.chainPem)
  writeFileSync(key, authority.leaf.privateKeyPem)
  const [before] = readPair(stage.appliance)
  const install = ['--root', stage.appliance.root, 'cert', 'install', chain, '--key', key]
  await stage.pool.fault('stop', 'xs1')
  const planned = await run('wlb', [...install, '--dry-run', '--json'])
  expect(JSON.parse(planned.stdout)).toMatchObject({
    pools: [{ outlook: 'unknown', why: expect.stringContaining('it could not be asked') }],
  })
  expect(await run('wlb', [...install, '--yes'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('[POOLS_WOULD_REFUSE]'),
  })
  expect(readPair(stage.appliance)[0]).toBe(before)
})
