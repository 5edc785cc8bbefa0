/** The appliance as the coordinator sees it: its address, what it serves, and the path by which the pool trusts that. */
import type { X509Certificate } from 'node:crypto'
import { observeEndpoint } from '../../tls/index.js'
import { isSelfSigned, validate } from '../../x509/index.js'
import { fail } from '../errors.js'
import { resolveByHostsFile } from '../host/host-files.js'
import type { KnownHost } from '../launcher/lab-file.js'
import { parseWlbUrl, type WlbAddress } from '../wlb/wlb-connection.js'
import { layoutFor, type PoolStage, poolRecord, readFiles } from './pool-stage.js'

export interface Served {
  readonly leaf: X509Certificate
  /** All that is sent, the leaf first. */
  readonly sent: readonly X509Certificate[]
  /** From the leaf up, with what the coordinator has installed. */
  readonly path: readonly X509Certificate[]
}

const TIMEOUT_MS = 5_000

/** @throws LAB_FAULT_NOT_CONNECTED when the pool knows no appliance. */
export function wlbAddress(stage: PoolStage): WlbAddress {
  const url = String(poolRecord(stage).record.wlb_url)
  if (url === '') throw fail('LAB_FAULT_NOT_CONNECTED', {})
  return parseWlbUrl(url)
}

/** Returns the appliance's address as a host resolves it. @throws LAB_FAULT_NOT_CONNECTED when it cannot. */
export async function wlbHostAddress(stage: PoolStage, host: KnownHost = stage.coordinator): Promise<string> {
  const { host: name } = wlbAddress(stage)
  const address = await resolveByHostsFile(layoutFor(stage, host).hosts)(name)
  if (address === undefined) throw fail('LAB_FAULT_NOT_CONNECTED', {})
  return address
}

/** @throws LAB_FAULT_NOT_CONNECTED when the pool knows no appliance, or it does not answer. */
export async function observeServed(stage: PoolStage): Promise<Served> {
  const { host: name, port } = wlbAddress(stage)
  const facts = await observeEndpoint({ host: await wlbHostAddress(stage), port, timeoutMs: TIMEOUT_MS }, name)
  const sent = 'certificates' in facts ? facts.certificates : []
  const [leaf] = sent
  if (!leaf) throw fail('LAB_FAULT_NOT_CONNECTED', {})
  const files = await readFiles(stage, stage.coordinator)
  const anchors = files.flatMap(({ certificates }) => certificates.map((certificate) => ({ certificate })))
  const { path } = validate({ presented: sent, anchors, crls: undefined, name, now: stage.now })
  return { leaf, sent, path }
}

/** Does the same when an authority has issued the leaf. @throws LAB_FAULT_NEEDS_AUTHORITY */
export async function observeIssued(
  stage: PoolStage,
): Promise<Served & { readonly issuers: readonly X509Certificate[] }> {
  const served = await observeServed(stage)
  const issuers = served.path.slice(1)
  if (isSelfSigned(served.leaf) || issuers.length === 0) throw fail('LAB_FAULT_NEEDS_AUTHORITY', {})
  return { ...served, issuers }
}

/** @throws LAB_FAULT_NEEDS_AUTHORITY when the root has issued the leaf itself. */
export function findIntermediate(issuers: readonly X509Certificate[]): X509Certificate {
  const found = issuers.find((issuer) => issuer.subject !== issuer.issuer)
  if (!found) throw fail('LAB_FAULT_NEEDS_AUTHORITY', {})
  return found
}
