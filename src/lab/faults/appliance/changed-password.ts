/** Row 75: the appliance's password was changed and the pool goes on showing the one before. */
import { randomBytes } from 'node:crypto'
import { askAppliance, hashPassword, paths, readSettings, writeSettings } from '../../../config/index.js'
import { keepFiles } from '../../stand-in/kept-files.js'
import { standInFailed } from '../../stand-in/process.js'
import { withStandIn } from '../../stand-in/stage.js'
import type { FaultStage } from '../fault.js'

/** The new one is known to nobody: the old one comes back with the settings. */
export async function changePassword({ root }: FaultStage): Promise<void> {
  await withStandIn(root, async (layout) => {
    const { settings, controlSocket } = paths(root)
    if ((await askAppliance(controlSocket)) === undefined) throw standInFailed(layout, 'no appliance is running here')
    await keepFiles(root, layout, ['settings'])
    const passwordHash = await hashPassword(randomBytes(18).toString('base64url'))
    await writeSettings(settings, { ...(await readSettings(settings)), passwordHash })
    await askAppliance(controlSocket, 'POST', '/account')
  })
}
