/**
 * Puts the stand-in on the appliance's port, and removes it again. What is about to change is recorded first, so that
 * clearing can start from any state.
 */
import { X509Certificate } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { z } from 'zod'
import type { WlbError } from '../../base/error.js'
import { type DirectoryLock, lockDirectory } from '../../base/files/directory-lock.js'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { askAppliance, paths, readSettings } from '../../config/index.js'
import { fail } from '../errors.js'
import { breakPair, keepFiles, keptPath, putBack } from './appliance-files.js'
import { type Behaviour, showsCertificate, type Twist, twistBehaviour } from './behaviour.js'
import { changePoolTrust, NO_TRUST } from './pool-trust.js'
import { endStandIn, runStandIn } from './process.js'
import { makeCertificates, type Pair, ROOT_NAME, type StandInCertificates } from './stand-in-certificates.js'
import { readState, type StandInLayout, standInLayout, writeState } from './stand-in-files.js'

export interface StandInOrder {
  readonly root: string
  readonly now: Date
  /** Path of the stand-in's program. */
  readonly program: string
}

/** The appliance finishes requests under way before it has moved. */
const MOVE_TIMEOUT_MS = 25_000
const RELOAD_TIMEOUT_MS = 25_000

/**
 * Makes the appliance's address behave as `twist` says, in addition to what is wrong there already.
 *
 * @throws LAB_STAND_IN_FAILED, LAB_NOT_FOUND, NOT_SET_UP, or ApiFailure as the pool refuses what the fault needs.
 */
export async function twistStandIn({
  root,
  now,
  twist,
  program,
}: StandInOrder & { readonly twist: Twist }): Promise<void> {
  await withStandIn(root, async (layout) => {
    const place = paths(root)
    const { hostname, address, port } = await readSettings(place.settings)
    if ((await askAppliance(place.controlSocket)) === undefined) throw notRunning(layout)
    await keepFiles(root, layout, ['certificate', 'key'])
    const state = await readState(layout)
    const behaviour = twistBehaviour(state.behaviour, twist)
    const made = await makeCertificates({
      behaviour,
      hostname,
      address: isWildcard(address) ? '127.0.0.1' : address,
      now,
      keyFolder: layout.keys,
      rootPem: state.certificates[ROOT_NAME],
    })
    const trust = showsCertificate(behaviour) ? made : NO_TRUST
    const { certificates, crls } = trust
    await writeState(layout, {
      ...state,
      behaviour,
      certificates: { ...state.certificates, ...certificates },
      crls: { ...state.crls, ...crls },
    })

    await changePoolTrust(root, state, trust)
    await writeState(layout, { ...state, behaviour, certificates, crls })
    await placeFiles(root, layout, behaviour, made)
    const aside = await setAside(root, layout)
    const { transport, tls } = behaviour
    if (transport === 'closed') return endStandIn(layout)
    const fingerprintsSha256 = await knownFingerprints(layout, aside.fingerprintSha256, made)
    const appliance = { address: aside.address, port: aside.port, fingerprintsSha256 }
    await runStandIn(layout, { address, port, transport, tls, appliance, ...made.served }, program)
  })
}

/** Ends the stand-in and restores appliance and pool. Does nothing where nothing was changed. */
export async function clearStandIn(root: string): Promise<void> {
  await withStandIn(root, async (layout) => {
    const state = await readState(layout)
    const place = paths(root)
    await endStandIn(layout)
    await putBack(root, layout, state.kept)
    if (state.kept.includes('settings')) await askAppliance(place.controlSocket, 'POST', '/account')
    if (state.kept.includes('certificate'))
      await askAppliance(place.controlSocket, 'POST', '/reload', RELOAD_TIMEOUT_MS)
    await askAppliance(place.controlSocket, 'POST', '/listener/back', MOVE_TIMEOUT_MS)
    await changePoolTrust(root, state, NO_TRUST)
    await rm(layout.kept, { recursive: true, force: true })
    await rm(layout.state, { force: true })
  })
}

/** Runs `work` under the stand-in's lock: two changes at once would see each other's half-done work. */
export async function withStandIn(root: string, work: (layout: StandInLayout) => Promise<void>): Promise<void> {
  const layout = standInLayout(root)
  await ensureFolder(layout.folder, 0o700)
  let lock: DirectoryLock | undefined
  try {
    lock = await lockDirectory(layout.folder)
    await work(layout)
  } finally {
    await lock?.release()
  }
}

/** The appliance serves the pair if it can; a pair that it refuses stays on its disk. */
async function placeFiles(
  root: string,
  layout: StandInLayout,
  behaviour: Behaviour,
  made: StandInCertificates,
): Promise<void> {
  const { certificate, key, controlSocket } = paths(root)
  const { files, broken } = behaviour
  if (!showsCertificate(behaviour) || (files === 'before' && broken === undefined)) {
    await putBack(root, layout, ['certificate', 'key'])
  } else {
    const pair = { served: made.served, renewed: made.renewed, before: await readKept(layout) }[files]
    const { certificatePem, privateKeyPem, keyMode } = await breakPair(pair, broken, layout.keys)
    await replaceFile(key, privateKeyPem, keyMode)
    await replaceFile(certificate, certificatePem, 0o644)
  }
  await askAppliance(controlSocket, 'POST', '/reload', RELOAD_TIMEOUT_MS)
}

const ASIDE = z.object({ address: z.string(), port: z.number(), fingerprintSha256: z.string() })

async function setAside(root: string, layout: StandInLayout): Promise<z.infer<typeof ASIDE>> {
  const answer = await askAppliance(paths(root).controlSocket, 'POST', '/listener/aside', MOVE_TIMEOUT_MS)
  if (answer === undefined) throw notRunning(layout)
  return ASIDE.parse(answer)
}

/** The appliance may reload at any moment, and serve any of these pairs. */
async function knownFingerprints(
  layout: StandInLayout,
  now: string,
  { served, renewed }: StandInCertificates,
): Promise<string[]> {
  const kept = await readKept(layout)
  const pems = [kept.certificatePem, served.certificatePem, renewed.certificatePem]
  return [...new Set([now, ...pems.map((pem) => new X509Certificate(pem).fingerprint256)])]
}

async function readKept(layout: StandInLayout): Promise<Pair> {
  const [certificatePem, privateKeyPem] = await Promise.all(
    (['certificate', 'key'] as const).map((name) => readFile(keptPath(layout, name), 'utf8')),
  )
  return { certificatePem: certificatePem ?? '', privateKeyPem: privateKeyPem ?? '' }
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

export function notRunning({ folder }: StandInLayout): WlbError {
  return fail('LAB_STAND_IN_FAILED', { folder, why: 'no appliance is running here' })
}
