/** What the watch keeps of a pool between two rounds: small plain values without secrets. */
import { z } from 'zod'
import type { Connection } from '../connection/connection.js'
import type { FleetLine } from '../connection/fleet.js'
import { servedBy } from '../connection/predict.js'

const EXPIRY = z.object({
  /** `certificate of the appliance`, `its issuer CN=...`, `root_ca.pem, installed`. */
  what: z.string(),
  fingerprintSha256: z.string(),
  /** Empty where it is not known. */
  notBefore: z.string().default(''),
  notAfter: z.string(),
})

export const SNAPSHOT = z.object({
  pool: z.string(),
  /** Empty where the pool was observed; else the error code, and the other values are those of the last observation. */
  unreachable: z.string(),
  /** Whether it was ever observed. */
  isKnown: z.boolean(),
  wlbUrl: z.string(),
  verifies: z.boolean(),
  /** Of what is served; empty where nothing is. */
  served: z.string(),
  installed: z.array(z.object({ name: z.string(), fingerprintSha256: z.string() })),
  expiries: z.array(EXPIRY),
  /** By name: empty where it verifies, `?` where it is not known, else the pool's error. */
  hosts: z.record(z.string(), z.string()),
  /** Why this pool keeps a new certificate from being served; empty where it does not. */
  heldBack: z.string().default(''),
  /** By name, the appliance included; only clocks that could be read. */
  clockOffsetsMs: z.record(z.string(), z.number()),
})
export type Snapshot = Readonly<z.infer<typeof SNAPSHOT>>

/** Among the clocks. */
const APPLIANCE = 'the appliance'

export function snapshotOf(line: FleetLine): Snapshot {
  if (line.state === 'not seen') return { ...NOTHING, pool: line.name, unreachable: line.error.code }
  const { connection, verdicts, name } = line
  const { pool, hosts, installed, appliance } = connection
  const served = servedBy(appliance)
  const clocks = [
    ...hosts.map((host): [string, number | undefined] => [host.name, host.clockOffsetMs]),
    [APPLIANCE, appliance.clockOffsetMs] satisfies [string, number | undefined],
  ]
  return {
    pool: name,
    unreachable: '',
    isKnown: true,
    wlbUrl: pool.wlbUrl,
    verifies: pool.verifies,
    served: served[0]?.fingerprint256 ?? '',
    installed: installed.map((one) => ({ name: one.name, fingerprintSha256: one.fingerprintSha256 })),
    expiries: [
      ...served.map(({ subject, fingerprint256, validFrom, validTo }, index) => ({
        what: index === 0 ? 'the certificate of the appliance' : `its issuer ${subject.replaceAll('\n', ', ')}`,
        fingerprintSha256: fingerprint256,
        notBefore: new Date(validFrom).toISOString(),
        notAfter: new Date(validTo).toISOString(),
      })),
      ...installed.flatMap(({ name: file, fingerprintSha256, notBefore, notAfter }) =>
        notAfter && !served.some(({ fingerprint256 }) => fingerprint256 === fingerprintSha256)
          ? [
              {
                what: `${file}, installed`,
                fingerprintSha256,
                notBefore: notBefore?.toISOString() ?? '',
                notAfter: notAfter.toISOString(),
              },
            ]
          : [],
      ),
    ],
    hosts: Object.fromEntries(
      verdicts.map(({ host, verdict, error }) => [
        host,
        verdict === 'accepted' ? '' : verdict === 'unknown' ? '?' : error.join(': '),
      ]),
    ),
    heldBack: describeHeld(connection),
    clockOffsetsMs: Object.fromEntries(clocks.flatMap(([who, ms]) => (ms === undefined ? [] : [[who, ms]]))),
  }
}

/** A reason that names no pool applies to every pool. */
function describeHeld({ pool, appliance: { local } }: Connection): string {
  const because = local?.renewal?.held?.because
  if (!because || (because.pool !== '' && because.pool !== pool.uuid)) return ''
  return `${because.message} [${because.code}] Try: ${because.remedy}`
}

/** The snapshot to compare the next one with: values that could not be read this time are kept from before. */
export function keepKnown(before: Snapshot | undefined, after: Snapshot): Snapshot {
  if (!before) return after
  if (after.unreachable !== '') return { ...before, unreachable: after.unreachable }
  const toldBefore = Object.entries(before.clockOffsetsMs).filter(([who]) => who in after.hosts || who === APPLIANCE)
  return {
    ...after,
    served: after.served || before.served,
    hosts: Object.fromEntries(
      Object.entries(after.hosts).map(([host, said]) => [host, said === '?' ? (before.hosts[host] ?? '?') : said]),
    ),
    clockOffsetsMs: { ...Object.fromEntries(toldBefore), ...after.clockOffsetsMs },
  }
}

const NOTHING = {
  isKnown: false,
  wlbUrl: '',
  verifies: false,
  served: '',
  installed: [],
  expiries: [],
  hosts: {},
  heldBack: '',
  clockOffsetsMs: {},
}
