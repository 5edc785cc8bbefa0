/** The `--json` documents of the trust commands and the doctor. Field names are a contract with scripts (docs/status.md). */
import { type ErrorDocument, errorDocument, type WlbError } from '../base/error.js'
import { describeCertificate } from '../x509/index.js'
import { formatWlbAddress, type WlbAddress } from '../xapi/index.js'
import type { Connection, HostVerdict } from './connection/connection.js'
import type { FleetLine } from './connection/fleet.js'
import { compareDisks, compareStores, type HostDisk } from './connection/store-comparison.js'
import type { Diagnosis } from './diagnose/finding.js'
import type { Plan } from './plan/plan.js'
import type { FetchedCertificate } from './remote/fetch-certificate.js'
import type { InstallOverSsh } from './remote/replace-over-ssh.js'
import type { TrustOutcome } from './run/apply.js'
import type { StepReport } from './run/run-steps.js'

/** Whether every host verifies: `no` also where the pool does not ask its hosts to, `unknown` where nobody can tell. */
export function doAllVerify({ pool }: Connection, verdicts: readonly HostVerdict[]): 'yes' | 'no' | 'unknown' {
  if (!pool.verifies || verdicts.some(({ verdict }) => verdict === 'refused')) return 'no'
  return verdicts.every(({ verdict }) => verdict === 'accepted') ? 'yes' : 'unknown'
}

/** `wlb trust status`. */
export function statusDocument(connection: Connection, verdicts: readonly HostVerdict[]): object {
  const { pool, hosts, installed, crls, appliance } = connection
  const stores = compareStores(connection, verdicts)
  const disks = compareDisks(connection)
  const leaf = 'certificates' in appliance.endpoint ? appliance.endpoint.certificates[0] : undefined
  return {
    ok: doAllVerify(connection, verdicts) === 'yes',
    pool: { uuid: pool.uuid, name: pool.name, wlbUrl: pool.wlbUrl, enabled: pool.wlbEnabled, verifies: pool.verifies },
    appliance: {
      host: appliance.host,
      port: appliance.port,
      name: appliance.name,
      state: appliance.endpoint.state,
      fingerprintSha256: leaf?.fingerprint256 ?? null,
      resolvedHere: appliance.resolved,
      clockOffsetMs: appliance.clockOffsetMs ?? null,
    },
    installed: installed.map(({ name, fingerprintSha256, notBefore, notAfter }) => ({
      name,
      fingerprintSha256,
      notBefore: notBefore ?? null,
      notAfter: notAfter ?? null,
    })),
    crls: crls ?? null,
    hosts: hosts.map(({ name, uuid, address, role, live, clockOffsetMs }, index) => {
      const { verdict, proof, error, why } = verdicts[index] ?? {}
      const disk = disks?.[index]
      return {
        name,
        uuid,
        address,
        role,
        live,
        store: stores[index],
        clockOffsetMs: clockOffsetMs ?? null,
        verdict,
        proof,
        error,
        why,
        disk: disk && hostDiskDocument(disk),
      }
    }),
  }
}

function hostDiskDocument(host: HostDisk): object {
  if (host.state === 'not seen') return host
  const { state, disk, againstRecords, againstCoordinator, resolved } = host
  return {
    state,
    files: disk.files.map(({ name, kind, what, certificates }) => ({
      name,
      kind,
      what,
      fingerprintsSha256: certificates.map(({ fingerprint256 }) => fingerprint256),
    })),
    bundle: disk.bundle,
    trustedSha256: disk.trusted.map(({ fingerprint256 }) => fingerprint256),
    crls: disk.crls,
    odd: disk.odd,
    againstRecords,
    againstCoordinator: againstCoordinator ?? null,
    resolved: resolved ?? null,
  }
}

/** `wlb trust status --fleet FILE`. */
export function fleetDocument(lines: readonly FleetLine[]): readonly object[] {
  return lines.map((line) => {
    const { name, tookMs } = line
    if (line.state === 'seen') return { name, tookMs, ...statusDocument(line.connection, line.verdicts) }
    return { name, tookMs, ok: false, error: errorDocument(line.error) }
  })
}

/** `wlb trust plan`: `error` is what an apply would refuse with. */
export function planDocument({ obstacles, verdicts, name, byHand, notes }: Plan, steps: readonly StepReport[]): object {
  const [obstacle] = obstacles
  return runDocument(!obstacle, steps, verdicts, { name, byHand, notes, error: obstacle && errorDocument(obstacle) })
}

/** `wlb trust renew --dry-run`. */
export function renewalDocument(
  { notes, verdicts }: { readonly notes: readonly string[]; readonly verdicts: readonly HostVerdict[] },
  steps: readonly StepReport[],
): object {
  return runDocument(true, steps, verdicts, { notes })
}

/** `wlb trust apply`, `undo` and `renew`; of an apply its plan too. */
export function outcomeDocument(
  { reports, hosts, left, failure }: TrustOutcome,
  ok: boolean,
  plan?: Pick<Plan, 'byHand' | 'notes' | 'name'>,
): object {
  const { byHand, notes, name } = plan ?? {}
  const error = failure && errorDocument(failure)
  return runDocument(ok, reports, hosts, { byHand, notes, name, notReached: left, error })
}

/** All of these commands where they refuse: the shape of every other answer, so that a script reads `ok` and nothing else. */
/** `remedy`: as it can be pasted. */
export function refusalDocument(error: WlbError, remedy: string): object {
  return runDocument(false, [], [], { error: { ...errorDocument(error), remedy } })
}

function runDocument(
  ok: boolean,
  steps: readonly StepReport[],
  hosts: readonly HostVerdict[],
  more: Readonly<Record<string, unknown>>,
): object {
  return {
    ok,
    steps,
    hosts: hosts.map(({ host, verdict, proof, error, why }) => ({ name: host, verdict, proof, error, why })),
    ...more,
  }
}

/** A step that `wlb doctor --fix` carried out. */
export interface FixedStep {
  readonly row: number
  readonly command: string
  readonly state: 'done' | 'failed'
  /** Empty when done. */
  readonly why: string
}

/** `wlb doctor`; `error` is why the pool could not be asked. */
export function diagnosisDocument(
  diagnosis: Diagnosis,
  { fixed, error }: { readonly fixed: readonly FixedStep[] | undefined; readonly error: ErrorDocument | undefined },
): object {
  return { ...diagnosis, fixed, error }
}

/** `wlb trust fetch`: the certificate that was fetched, and whether the port serves it. */
export interface Fetched extends FetchedCertificate {
  /** For people. */
  readonly from: string
  readonly appliance: WlbAddress
}

export type ServedComparison =
  | { readonly state: 'same' | 'differs'; readonly fingerprintSha256: string }
  | { readonly state: 'not served'; readonly why: string }

/** `wlb trust fetch`; `state` is what became of `file`. */
export function fetchedDocument(file: string, state: string, fetched: Fetched, served: ServedComparison): object {
  return {
    state,
    file,
    from: fetched.from,
    certificate: describeCertificate(fetched.leaf),
    fingerprintSha256: fetched.leaf.fingerprint256,
    appliance: formatWlbAddress(fetched.appliance),
    served,
    agreed: served.state === 'not served' ? null : served.state === 'same',
  }
}

/** `wlb trust install`. */
export function installDocument(
  { plan, replacement }: InstallOverSsh,
  outcome: 'planned' | 'already so' | 'installed',
): object {
  const { address, port } = replacement.request.endpoint
  const state = outcome === 'planned' ? 'planned' : 'done'
  return {
    ok: true,
    state: plan.isInPlace ? 'already so' : outcome,
    name: plan.name,
    identity: describeCertificate(plan.chain.leaf),
    chain: plan.served.map(describeCertificate),
    fingerprintSha256: plan.chain.leaf.fingerprint256,
    verdict: { accepted: plan.verdict.accepted, reason: plan.verdict.reason },
    appliance: { address, port, servedBefore: replacement.servedBefore ?? null },
    repair: replacement.repair ?? null,
    steps: plan.steps.map(({ id, what, command }) => ({ id, what, command, state })),
  }
}
