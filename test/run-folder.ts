/**
 * What one run of the tests has to itself, made before the first test file (vitest.config.ts) and named to all of them by the
 * environment: a folder with the run's database, keys and ports, and an address to listen at. Two runs at once share nothing.
 */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readHostAddress } from '../src/base/names/host-address.js'

const FOLDER_VARIABLE = 'OPENWLB_TEST_FOLDER'
const ADDRESS_VARIABLE = 'OPENWLB_TEST_ADDRESS'
/** Held at the run's address for as long as the run lasts. */
const CLAIM_PORT = 20_000

/** Where tests listen. Outside of a run, as in `bench/`, the usual loopback address. */
export const OWN_ADDRESS = readHostAddress(process.env[ADDRESS_VARIABLE] ?? '127.0.0.1', 'the tests')

/** Folders of the run: `db` is an empty database. */
type Name = 'db' | 'keys' | 'ports' | 'programs'

/** Undefined outside of a run. */
export function runFolder(name: Name): string | undefined {
  const folder = process.env[FOLDER_VARIABLE]
  return folder === undefined ? undefined : join(folder, name)
}

export function requireRunFolder(name: Name): string {
  const folder = runFolder(name)
  if (folder === undefined) throw new Error('vitest.config.ts makes this folder before the tests')
  return folder
}

/** Called by vitest. Returns what clears up afterwards. */
export async function setup(): Promise<() => void> {
  if (process.env[FOLDER_VARIABLE] !== undefined) return () => {} // made by the first of the projects
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-run-'))
  for (const name of ['keys', 'ports', 'programs']) mkdirSync(join(folder, name))
  const { createEmbedded } = await import('../src/store/embedded-database.js') // only here: it takes a second to load
  await createEmbedded(join(folder, 'db')) // takes four seconds of processor time, so most tests copy it
  const { address, claim } = await claimAddress()
  process.env[FOLDER_VARIABLE] = folder
  process.env[ADDRESS_VARIABLE] = address
  return () => {
    claim.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Labs take x.y.1 and on (src/lab), so an address of a run never is one of a lab's host. */
async function claimAddress(): Promise<{ address: string; claim: Server }> {
  for (;;) {
    const address = `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(201, 255)}`
    const claim = createServer()
    try {
      await once(claim.listen(CLAIM_PORT, address), 'listening')
      return { address, claim: claim.unref() }
    } catch {
      // another run has it
    }
  }
}
