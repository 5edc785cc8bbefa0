/** Breaks one host of a lab on purpose, and puts it right again. */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { layoutOf, placesOf, readConditions, writeConditions } from '../host/host-files.js'
import { askHost, endProcess, findProcess, postToHost, startProcess, waitUntil } from './host-control.js'
import { findHost, hostRoot, type KnownHost, type Lab, readLab, withLabLocked } from './lab-file.js'
import { programPath } from './launcher.js'

export type LabFault =
  /** Ends the host's process in good order, or at once. */
  | 'stop'
  | 'kill'
  | 'start'
  /** Its bundle is gone, cannot be read, or ends in a broken block; the certificates themselves stay. */
  | 'remove-bundle'
  | 'corrupt-bundle'
  | 'truncate-bundle'
  /** Adds a file that is not a revocation list to the folder of lists: then every verified connection needs one. */
  | 'junk-crl'
  /** It stops listening on the network and keeps its heartbeat: live, and not reachable. */
  | 'deafen'
  /** Its XenAPI answers late, with half an answer, or with a web page; `mend` ends that. */
  | 'slow'
  | 'cut'
  | 'garbage'
  /** It publishes no metrics, unknown values only, or late; its clock is an hour ahead. `mend` ends these too. */
  | 'no-metrics'
  | 'nan-metrics'
  | 'slow-metrics'
  | 'clock'
  | 'mend'
  /** Every session of a user ends, as after the idle timeout. */
  | 'expire-sessions'

/**
 * Carries out a fault and returns once it is visible: a stopped host is gone for the coordinator too, a started one is
 * live.
 *
 * @throws LAB_NOT_FOUND, LAB_HOST_UNKNOWN, or what `labUp` throws.
 */
export async function labFault(options: {
  readonly root: string
  readonly action: LabFault
  readonly host: string
  readonly hostProgram?: string
}): Promise<void> {
  const { root, action, hostProgram } = options
  const lab = await readLab(root)
  const host = findHost(lab, options.host)
  const folder = hostRoot(root, host.name)
  const tell = async (path: string): Promise<void> => void (await postToHost(folder, path))
  switch (action) {
    case 'stop':
    case 'kill':
      return withLabLocked(root, async () => {
        await endProcess(folder, action === 'stop' ? 'SIGTERM' : 'SIGKILL')
        await waitUntilSeen(lab, root, host, false)
      })
    case 'start':
      return withLabLocked(root, async () => {
        if ((await findProcess(folder)) === undefined)
          await startProcess(folder, hostProgram ?? programPath('lab-host.js'))
        await waitUntilSeen(lab, root, host, true)
      })
    case 'deafen':
      return tell('/lab/deafen')
    case 'slow':
    case 'cut':
    case 'garbage':
      return tell(`/lab/answer-${action}`)
    case 'no-metrics':
      return tell('/lab/metrics-none')
    case 'nan-metrics':
      return tell('/lab/metrics-nan')
    case 'slow-metrics':
      return tell('/lab/metrics-slow')
    case 'clock':
      return setClock(folder, CLOCK_AHEAD_MS)
    case 'mend':
      await tell('/lab/answer-well')
      await tell('/lab/metrics-well')
      if ((await readConditions(layoutOf(folder))).clockOffsetMs === CLOCK_AHEAD_MS) await setClock(folder, 0)
      return
    case 'expire-sessions':
      return tell('/lab/expire-sessions')
    default:
      return breakStore(folder, action)
  }
}

/** A whole hour: also what a host's archives of hours show is only moved. */
const CLOCK_AHEAD_MS = 3_600_000

async function setClock(folder: string, clockOffsetMs: number): Promise<void> {
  const layout = layoutOf(folder)
  await writeConditions(layout, { ...(await readConditions(layout)), clockOffsetMs })
  await postToHost(folder, '/lab/conditions')
}

const GARBAGE = 'this is no certificate\n'
const BROKEN_BLOCK = '-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n'

async function breakStore(
  folder: string,
  fault: 'remove-bundle' | 'corrupt-bundle' | 'truncate-bundle' | 'junk-crl',
): Promise<void> {
  const layout = layoutOf(folder)
  const [legacy] = placesOf(layout, { store: 'LegacyRootCert' })
  const [crls] = placesOf(layout, { store: 'CRL' })
  const bundle = legacy?.bundle ?? ''
  switch (fault) {
    case 'remove-bundle':
      return rm(bundle, { force: true })
    case 'corrupt-bundle':
      return writeFile(bundle, GARBAGE)
    case 'truncate-bundle':
      return appendFile(bundle, BROKEN_BLOCK)
    case 'junk-crl': {
      const crlFolder = crls?.folder ?? ''
      await mkdir(crlFolder, { recursive: true, mode: 0o700 })
      return writeFile(join(crlFolder, 'junk.pem'), GARBAGE)
    }
  }
}

/** Without a coordinator only the host itself is asked. */
async function waitUntilSeen(lab: Lab, root: string, host: KnownHost, live: boolean): Promise<void> {
  await waitUntil(`${host.name} to be ${live ? 'live' : 'gone'}`, hostRoot(root, host.name), async () => {
    const statuses = await Promise.all(lab.hosts.map(({ name }) => askHost(hostRoot(root, name))))
    const own = statuses.find((status) => status?.uuid === host.uuid)
    const coordinator = statuses.find((status) => status?.role === 'coordinator')
    if (!live) return own === undefined && !coordinator?.live.includes(host.uuid)
    return own?.settled === true && (coordinator === undefined || coordinator.live.includes(host.uuid))
  })
}
