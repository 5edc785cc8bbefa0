/**
 * Plans from the observed connection to the goal: the steps, each with the command an operator would type, the predicted
 * verdict of every host, and the obstacles. Pure.
 */
import type { X509Certificate } from 'node:crypto'
import type { WlbError } from '../../base/error.js'
import { crlUrls } from '../../x509/index.js'
import { formatWlbAddress, parseWlbAddress } from '../../xapi/index.js'
import type { Connection, HostProof, HostVerdict } from '../connection/connection.js'
import { chooseName } from '../connection/connection-name.js'
import { judgeHosts, knownAnchors, predict, predictHosts, servedBy } from '../connection/predict.js'
import { fail } from '../errors.js'
import type { JournalRequest } from '../run/journal-records.js'
import { connectCommand } from '../run/steps/connection-steps.js'
import type { PlannedStep } from '../run/steps/step.js'
import type { GoalKind, Trusted } from './decide-trust.js'
import type { Material } from './material.js'
import { crlStoreName, findNeeded, installOrders, pemOf } from './needed-certificates.js'
import { noteOddities } from './plan-notes.js'

export interface Goal {
  readonly kind: GoalKind
  /** What the pool is to connect to, where that is not to be found out. */
  readonly name?: string
  readonly allowDown: boolean
  readonly wlbUserName?: string
  readonly hasWlbPassword: boolean
  readonly poolUserName: string
}

export interface Plan {
  readonly goal: GoalKind
  /** What hosts connect to, or will. */
  readonly name: string
  readonly steps: readonly PlannedStep[]
  /** For the operator: what cannot be done from here. */
  readonly byHand: readonly { readonly title: string; readonly command: string }[]
  /** What each host is predicted to say in the end; its own answer where nothing is left to do. */
  readonly verdicts: readonly HostVerdict[]
  /** Of these the first is what an apply refuses with, before anything is changed. */
  readonly obstacles: readonly WlbError[]
  readonly notes: readonly string[]
  /** For the journal. */
  readonly request: JournalRequest
}

/** `proofs` in the order of the connection's hosts, as `proveHosts` gives them. */
export function makePlan(
  connection: Connection,
  proofs: readonly HostProof[],
  goal: Goal,
  trusted: Trusted,
  given: Material,
): Plan {
  const { pool, hosts, appliance } = connection
  const served = servedBy(appliance)
  const [leaf] = served
  if (!leaf) throw new Error('decideTrust lets nobody pass without a certificate')
  const name = goal.name ?? nameFor(connection, leaf)
  const address = parseWlbAddress(pool.wlbUrl)
  const url = formatWlbAddress({ host: name, port: address?.port ?? appliance.port })
  const isConnected = pool.wlbUrl !== ''
  const isOtherName = isConnected && address?.host.toLowerCase() !== name.toLowerCase()
  const needed = findNeeded(connection, goal.kind, trusted, leaf, name)
  const isProved = pool.verifies && isConnected && !isOtherName && isProvedByAll(connection, proofs)
  // where the path reaches none of them, the prediction has to be about them
  const judged = needed.length > 0 ? needed.map(({ certificate }) => certificate) : trusted.candidates
  const anchors = [...judged, ...knownAnchors(connection)]
  const crls = findCrls(connection, given, anchors, name)

  const changes = [...installOrders(connection, needed), ...crlOrders(connection, crls)]
  const isChanged = changes.some(({ state }) => state === 'planned')
  const isDue = isChanged || !isProved
  const state = isDue ? 'planned' : 'already'
  const fingerprints = needed.map(({ certificate }) => certificate.fingerprint256)
  const steps: PlannedStep[] = [
    ...changes,
    { order: { id: 'list', kind: 'list', isDue, fingerprints }, state },
    { order: { id: 'sync', kind: 'sync', isDue }, state },
    ...switchSteps(connection, goal, { url, isOtherName }),
  ]
  const willConnect = isConnected || goal.hasWlbPassword
  if (willConnect) {
    steps.push({ order: { id: 'prove', kind: 'prove', isDue, name }, state })
    steps.push({ order: { id: 'ask', kind: 'ask', isDue }, state })
  }
  // lists that are installed and not replaced stay unknown
  const lists = crls.length > 0 || (connection.crls ?? []).length === 0 ? { crls } : {}
  const expected = isDue ? predictHosts(connection, { anchors, name, ...lists }) : judgeHosts(connection, proofs)
  const refused = expected.filter(({ verdict }) => verdict === 'refused')
  const lacksCrl = isRevocationAsked(connection, given) && crls.length === 0 && !isProved
  const down = hosts.filter(({ live }) => !live).map((host) => host.name)
  return {
    goal: goal.kind,
    name,
    steps,
    byHand: willConnect ? [] : [connectByHand(url, goal, pool.wlbUserName)],
    verdicts: expected,
    obstacles: [
      ...(lacksCrl ? [crlNeeded(connection, leaf)] : []),
      ...(refused.length > 0 ? [goalRefused(name, refused)] : []),
      ...(down.length > 0 && !goal.allowDown ? [fail('HOSTS_DOWN', { hosts: down.join(', ') })] : []),
    ],
    notes: [...given.notes, ...noteOddities(connection, { leaf, name, needed, given, crls })],
    request: {
      goal: goal.kind,
      certificates: trusted.candidates.map(pemOf),
      crls: given.crls.map(({ pem }) => pem),
      appliance: formatWlbAddress(appliance),
      name,
    },
  }
}

function nameFor({ pool, appliance }: Connection, leaf: X509Certificate): string {
  const { host: asked, local } = appliance
  return chooseName({ wlbUrl: pool.wlbUrl, hostname: local?.hostname, asked }, leaf)
}

function crlOrders({ crls = [] }: Connection, needed: readonly string[]): PlannedStep[] {
  return needed.map((pem, index) => {
    const name = crlStoreName(pem)
    const id = index === 0 ? 'install-crl' : `install-crl-${index + 1}`
    return { order: { id, kind: 'install-crl', name, pem }, state: crls.includes(name) ? 'already' : 'planned' }
  })
}

/**
 * The passwords of a new connection are sent once the appliance is verified, so the flag comes first. Where nobody gave
 * them, the flag would only cut the pool off: then the missing connection is what the run ends at.
 */
function switchSteps(
  { pool }: Connection,
  { hasWlbPassword, wlbUserName }: Goal,
  { url, isOtherName }: { readonly url: string; readonly isOtherName: boolean },
): PlannedStep[] {
  const { verifies, wlbUrl, wlbUserName: before } = pool
  const flag = { id: 'verification', kind: 'verification', poolUuid: pool.uuid, value: true, before: verifies } as const
  const verification: PlannedStep = { order: flag, state: verifies ? 'already' : 'planned' }
  const connect: PlannedStep = {
    order: {
      id: wlbUrl === '' ? 'connect' : 'reconnect',
      kind: 'connect',
      url,
      userName: wlbUserName ?? (before || 'wlbuser'),
      before: { url: wlbUrl, userName: before, verifies },
    },
    state: 'planned',
  }
  if (!isOtherName && wlbUrl !== '') return [verification]
  if (hasWlbPassword) return [verification, connect]
  return isOtherName ? [connect, verification] : [verification]
}

function connectByHand(url: string, { wlbUserName, poolUserName }: Goal, before: string) {
  const command = connectCommand(url, wlbUserName ?? (before || 'wlbuser'), poolUserName)
  return { title: `connect the pool to ${url}`, command }
}

function isProvedByAll({ hosts }: Connection, proofs: readonly HostProof[]): boolean {
  return hosts.every((host, index) => !host.live || proofs[index]?.kind === 'accepted')
}

/** One list of any issuer makes hosts check revocation on every connection. */
function isRevocationAsked({ crls = [] }: Connection, given: Material): boolean {
  return crls.length > 0 || given.crls.length > 0
}

const NO_LIST = 'unable to get certificate CRL'

/** Those of the lists that are about this leaf; whether they are good is the prediction's question. */
function findCrls(
  connection: Connection,
  { crls }: Material,
  anchors: readonly X509Certificate[],
  name: string,
): readonly string[] {
  const [host] = connection.hosts
  if (!host) return []
  return crls
    .map(({ pem }) => pem)
    .filter((pem) => {
      const predicted = predict(connection, host, { anchors, name, crls: [pem] })
      return !(predicted.kind === 'refused' && predicted.error.some((text) => text.includes(NO_LIST)))
    })
}

function goalRefused(name: string, refused: readonly HostVerdict[]): WlbError {
  const poolError = refused[0]?.error[0]
  const hosts = Object.fromEntries(refused.map(({ host, error }) => [host, error.join(': ')]))
  return fail('GOAL_CANNOT_VERIFY', { name, poolError, hosts })
}

/** The pool asks about revocation as soon as it has one list, and of this issuer it has none. */
function crlNeeded({ crls = [] }: Connection, leaf: X509Certificate): WlbError {
  return fail('CRL_NEEDED', {
    issuer: leaf.issuer.split('\n').reverse().join(', '),
    distributionPoint: crlUrls(leaf).join(' ') || 'the certificate names none',
    installed: crls.join(' ') || 'none yet',
  })
}
