/**
 * An appliance on another machine. Its pair is replaced by the commands of `wlb trust install`, and put back from the
 * copy they keep there. Pairs are named by the SHA-256 of both files. The new key is given each time, and is written
 * nowhere but to its place on the appliance.
 */
import { X509Certificate } from 'node:crypto'
import { WlbError } from '../../../base/error.js'
import { quoteWord } from '../../../base/text/quote-word.js'
import { judgeFiles } from '../../../identity/index.js'
import { probeServed, type ServedIdentity } from '../../../tls/index.js'
import { isSelfSigned } from '../../../x509/index.js'
import type { Connection } from '../../connection/connection.js'
import { servedBy } from '../../connection/predict.js'
import { fail } from '../../errors.js'
import { fetchCertificate } from '../../remote/fetch-certificate.js'
import { digestsOf, managedPlace, type PairDigests, readManagedFiles } from '../../remote/managed-files.js'
import { readPoolsThere } from '../../remote/pools-over-ssh.js'
import {
  placeWithKeys,
  planReplacement,
  readManagedKey,
  replaceOverSsh,
  type SshReach,
} from '../../remote/replace-over-ssh.js'
import { restoreOverSsh } from '../../remote/restore-over-ssh.js'
import type { Check } from '../../run/steps/step.js'
import type { NextIdentity } from '../next-identity.js'
import { placeHere } from './here.js'
import type {
  Exchange,
  FoundIdentity,
  GivenFiles,
  IdentityOrder,
  IdentityPlace,
  NextQuestion,
  SeenHere,
} from './place.js'

const TIMEOUT_MS = 10_000
const KEY_MISSING = { missing: '--key' }

export interface PlaceOverSsh {
  /** As it is typed. */
  readonly target: string
  /** Where the appliance's files lie on its machine. */
  readonly root: string
  readonly restartCommand: string
}

/** The place of an order in a journal. */
export function placeOf({ root, over }: IdentityOrder, reach: SshReach | undefined): IdentityPlace {
  if (!over) return placeHere(root)
  if (!reach) throw new Error('an order over SSH needs a way to reach the appliance')
  const restartCommand = reach.restartCommand ?? over.restartCommand
  return placeOverSsh({ target: over.target, root, restartCommand }, reach)
}

export function placeOverSsh(where: PlaceOverSsh, reach: SshReach): IdentityPlace {
  const { target } = where
  return {
    localRoot: undefined,
    mayGoOn: ({ over }) => over !== undefined && over.target === target,
    find: (connection) => find(where, reach, connection),
    next: (question, found) => readNext(question, found),
    tidy: async () => {},
    keep: async (next, { name }, seen) => orderOf(where, next, name, seen),
    again: (order, given) => readAgain(where, reach, order, given),
    drop: async () => {},
    exchange: (order, identity) => exchangeOverSsh(where, reach, order, identity),
  }
}

/** Changes nothing; connecting refuses a host key that changed. */
async function find({ target, root }: PlaceOverSsh, reach: SshReach, connection: Connection): Promise<FoundIdentity> {
  const ssh = await reach.connect(target)
  const { inPlace } = await readManagedFiles(ssh, managedPlace(root))
  const { bytes, file, leaf } = await fetchCertificate(ssh, { applianceRoot: root })
  const [served] = servedBy(connection.appliance)
  if (leaf.fingerprint256 !== served?.fingerprint256 || inPlace.key === undefined) {
    throw fail('RENEW_OTHER_APPLIANCE', {
      target,
      file: leaf.fingerprint256,
      served: served?.fingerprint256 ?? 'nothing',
      hasKey: inPlace.key !== undefined,
    })
  }
  return { name: namePair(inPlace), file: { file, bytes }, pools: await readPoolsThere(ssh, root) }
}

async function readNext(question: NextQuestion, { file }: FoundIdentity): Promise<NextIdentity> {
  if (question.files.length === 0) throw fail('RENEW_NEEDS_FILES', { missing: 'FILES, --key' })
  const place = placeWithKeys(question, async () => file)
  const { identity, served, chain } = await judgeFiles(question, place).catch((error: unknown) => {
    throw error instanceof WlbError && error.code === 'USAGE_NEEDS_KEY' ? fail('RENEW_NEEDS_KEY', KEY_MISSING) : error
  })
  const how = isSelfSigned(chain.leaf) ? 'self-signed' : 'install'
  return { identity, how, chain: served, candidates: [...served, ...chain.unrelated] }
}

function orderOf(
  { target, root, restartCommand }: PlaceOverSsh,
  { identity, how }: NextIdentity,
  before: string,
  { appliance: { host, port, name }, leaf }: SeenHere,
): IdentityOrder {
  const over = {
    target,
    restartCommand,
    endpoint: { address: host, port, serverName: name },
    certificatePem: identity.certificatePem,
    servedBefore: leaf.fingerprint256,
  }
  return { id: 'identity', kind: 'identity', root, staged: namePair(digestsOf(identity)), before, how, over }
}

async function readAgain(
  where: PlaceOverSsh,
  reach: SshReach,
  order: IdentityOrder,
  given: GivenFiles,
): Promise<ServedIdentity | undefined> {
  const { certificatePem, leaf } = overOf(order)
  if ((await check(where, reach, order)) === 'holds') return undefined
  if (given.files.length === 0 && given.keyFile === undefined) throw fail('RENEW_NEEDS_KEY', KEY_MISSING)
  return { certificatePem, privateKeyPem: await readManagedKey(given, leaf) }
}

function exchangeOverSsh(
  where: PlaceOverSsh,
  reach: SshReach,
  order: IdentityOrder,
  identity: ServedIdentity | undefined,
): Exchange {
  const { target, root: applianceRoot, restartCommand } = where
  const { proofMs, onStep } = reach
  const options = { proofMs, onStep }
  return {
    command: `wlb trust install ${quoteWord(target)} FILES... --key FILE`,
    check: () => check(where, reach, order),
    do: async () => {
      if (!identity) throw fail('RENEW_NEEDS_KEY', KEY_MISSING)
      const { leaf, endpoint } = overOf(order)
      const ssh = await reach.connect(target)
      const request = { identity, leaf, endpoint, applianceRoot, restartCommand }
      try {
        await replaceOverSsh(ssh, await planReplacement(ssh, request), options)
      } catch (error) {
        throw asRenewal(error)
      }
    },
    undo: async () => {
      const { endpoint, servedBefore } = overOf(order)
      const [before, replacedBy] = [readPairName(order.before), readPairName(order.staged)]
      const request = { before, replacedBy, servedBefore, endpoint, applianceRoot, restartCommand }
      await restoreOverSsh(await reach.connect(target), request, options)
    },
  }
}

/** `holds`: in place, served, and no journal of an attempt that was not completed. */
async function check({ target, root }: PlaceOverSsh, reach: SshReach, order: IdentityOrder): Promise<Check> {
  const { leaf, endpoint } = overOf(order)
  const ssh = await reach.connect(target)
  const [{ inPlace, journal }, served] = await Promise.all([
    readManagedFiles(ssh, managedPlace(root)),
    probeServed(endpoint),
  ])
  const isServed = served.state === 'served' && served.fingerprintSha256 === leaf.fingerprint256
  return isServed && !journal && namePair(inPlace) === order.staged ? 'holds' : 'open'
}

function overOf({ over }: IdentityOrder) {
  if (!over) throw new Error('an exchange over SSH says where')
  const endpoint = { ...over.endpoint, timeoutMs: TIMEOUT_MS }
  return { ...over, endpoint, leaf: new X509Certificate(over.certificatePem) }
}

function namePair({ certificate = '-', key = '-' }: PairDigests): string {
  return `${certificate} ${key}`
}

function readPairName(name: string): PairDigests {
  const [certificate, key] = name.split(' ')
  return { certificate, key }
}

/** The appliance is as `wlb trust install` would leave it; only the command to type differs. */
function asRenewal(error: unknown): unknown {
  if (!(error instanceof WlbError)) return error
  const { code, facts } = error
  if (code === 'MANAGE_INTERRUPTED' || code === 'MANAGE_OVERTAKEN')
    return fail('RENEW_CUT_SHORT', { found: facts, cause: code }, error)
  return code === 'MANAGE_ROLLED_BACK' ? fail('RENEW_TAKEN_BACK', { found: facts }, error) : error
}
