/** An appliance of a test's own, set up in a temporary folder and served in this process, with its log kept. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AppliancePaths, openLog, paths, writeSettings } from '../../src/config/index.js'
import { type RunningAppliance, serve, setUp } from '../../src/server/index.js'
import { placeDatabase } from '../empty-database.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'

export const USER_NAME = 'wlbuser'
/** Colons and more than ASCII: what splits badly or decodes badly shows. */
export const PASSWORD = 'geh:eim: ß😀'
export const HOSTNAME = 'wlb.lab.internal'

export interface TestAppliance extends RunningAppliance {
  readonly root: string
  readonly paths: AppliancePaths
  /** Every line logged so far. */
  readonly logged: string[]
  remove(): Promise<void>
}

export async function startAppliance(): Promise<TestAppliance> {
  const root = mkdtempSync(join(tmpdir(), 'openwlb-appliance-'))
  await setUpForTests(root)
  const logged: string[] = []
  const running = await serve({ root, log: openLog({ write: (line) => void logged.push(line) }) })
  return {
    ...running,
    root,
    paths: paths(root),
    logged,
    remove: async () => {
      await running.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

export async function setUpForTests(root: string): Promise<void> {
  placeDatabase(root)
  const address = OWN_ADDRESS
  const port = await freePort()
  await setUp({ root, hostname: HOSTNAME, address, port, userName: USER_NAME, password: PASSWORD, now: new Date() })
}

/** Settings and nothing else, where only the identity matters. */
export async function configureOnly(root: string): Promise<void> {
  const { settingsFolder, settings } = paths(root)
  mkdirSync(settingsFolder, { recursive: true })
  const passwordHash = `scrypt$32768$8$1$${'A'.repeat(22)}==$${'A'.repeat(43)}=`
  const port = await freePort()
  await writeSettings(settings, { hostname: HOSTNAME, address: OWN_ADDRESS, port, userName: USER_NAME, passwordHash })
}

export function basic(userName = USER_NAME, password = PASSWORD): string {
  return `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`
}
