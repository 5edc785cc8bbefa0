/**
 * The known keys of the configuration dictionary with their rules and defaults (docs/protocol/wlb.md). Every answer has all
 * of them, because a console writes back only keys it has received and needs some of them to work.
 */
import { LARGEST_WHOLE, type ValueRule } from './configuration-rules.js'

export interface KnownKey {
  readonly name: string
  readonly rule: ValueRule
  readonly byDefault: string
}

const MEBIBYTE = 1_048_576
const BOOLEAN: ValueRule = { kind: 'boolean' }
const TEXT: ValueRule = { kind: 'text' }
const FRACTION: ValueRule = { kind: 'number', min: 0, max: 1 }
const AT_LEAST_ZERO: ValueRule = { kind: 'number', min: 0, max: Number.MAX_SAFE_INTEGER }

/** Set by the appliance: returned, and ignored when a console sends them back. */
export const READ_ONLY_KEYS = ['CredentialsValid', 'WlbVersion'] as const

/** Instructions that a console sends among the keys: obeyed or ignored, never stored. */
export const CONTROL_KEYS = [
  'set_host_configuration',
  'set_scheduled_task',
  'delete_scheduled_task',
  'set_report_subscription',
  'delete_report_subscription',
] as const

/** Ignored: factors that a console may send back, and report subscriptions, which consoles no longer show. */
export const IGNORED_KEYS =
  /^(?:(?:Cpu|Memory|NetworkRead|NetworkWrite|DiskRead|DiskWrite)(?:(?:High|Medium|Low)ThresholdFactor|(?:Medium|Low)WeightFactor)|rpSub_.*)$/i

export const POOL_KEYS: readonly KnownKey[] = [
  { name: 'OptimizationMode', rule: whole(0, 1), byDefault: '0' },
  { name: 'EnableOptimizationModeSchedules', rule: BOOLEAN, byDefault: 'false' },
  { name: 'OverCommitCpuInPerfMode', rule: BOOLEAN, byDefault: 'false' },
  { name: 'OverCommitCpuInDensityMode', rule: BOOLEAN, byDefault: 'true' },
  { name: 'AutoBalanceEnabled', rule: BOOLEAN, byDefault: 'false' },
  { name: 'AutoBalancePollIntervals', rule: whole(1, 100), byDefault: '3' },
  { name: 'AutoBalanceSeverity', rule: words('Low', 'Medium', 'High', 'Critical'), byDefault: 'High' },
  { name: 'AutoBalanceAggressiveness', rule: words('Low', 'Medium', 'High'), byDefault: 'Low' },
  { name: 'PowerManagementEnabled', rule: BOOLEAN, byDefault: 'false' },
  { name: 'PowerManagementPollIntervals', rule: whole(1, LARGEST_WHOLE), byDefault: '3' },
  { name: 'RecentMoveMinutes', rule: whole(1, 260), byDefault: '30' },
  { name: 'MetricGroomingPeriod', rule: whole(1, 260), byDefault: '52' },
  { name: 'PoolAuditLogGranularity', rule: words('Minimum', 'Medium', 'Maximum'), byDefault: 'Minimum' },
  { name: 'ReportingSMTPServer', rule: TEXT, byDefault: '' },
  ...levels('HostCpuThreshold', FRACTION, ['0.9', '0.76', '0.45', '0.13']),
  // A threshold of free memory: more is less critical, so the lower levels may be up to twenty times the critical one.
  { name: 'HostMemoryThresholdCritical', rule: number(0, 32_000 * MEBIBYTE), byDefault: '53477376' },
  ...graded('HostMemoryThreshold', number(0, 20 * 32_000 * MEBIBYTE), ['66846720', '534773760', '1069547520']),
  ...['HostPifRead', 'HostPifWrite', 'HostPbdRead', 'HostPbdWrite'].flatMap(throughput),
  ...levels('HostLoadAverageThreshold', AT_LEAST_ZERO, ['1.0', '0.85', '0.5', '0.15']),
  // For the keys from here on no product documents defaults; these are OpenWLB's own.
  ...graded('VmCpuUtilizationWeight', FRACTION, ['1.0', '0.6', '0.3']),
  ...graded('VmMemoryWeight', FRACTION, ['1.0', '0.6', '0.3']),
  ...['VmNetworkRead', 'VmNetworkWrite'].flatMap((name) => graded(`${name}Weight`, FRACTION, ['0.5', '0.3', '0.15'])),
  ...['VmDiskRead', 'VmDiskWrite'].flatMap((name) => graded(`${name}Weight`, FRACTION, ['0.2', '0.12', '0.06'])),
  ...graded('VmCpuUtilizationThreshold', FRACTION, ['0.76', '0.45', '0.13']),
  ...graded('VmMemoryThreshold', AT_LEAST_ZERO, ['4294967296', '2147483648', '536870912']),
  ...['VmNetworkRead', 'VmNetworkWrite', 'VmDiskRead', 'VmDiskWrite'].flatMap((name) =>
    graded(`${name}Threshold`, AT_LEAST_ZERO, ['23173530', '13631488', '4089446']),
  ),
  { name: 'WeightCurrentMetrics', rule: FRACTION, byDefault: '0.7' },
  { name: 'WeightRecentMetrics', rule: FRACTION, byDefault: '0.25' },
  { name: 'WeightHistoricalMetrics', rule: FRACTION, byDefault: '0.05' },
]

/** Names without the prefix `host_<uuid>_`. */
export const HOST_KEYS: readonly KnownKey[] = [
  'ParticipatesInPowerManagement',
  'LastPowerOnSucceeded',
  'ExcludeFromPlacementRecommendations',
  'ExcludeFromEvacuationRecommendations',
  'ExcludeFromPoolOptimizations',
  'ExcludeFromPoolOptimizationAcceptVMs',
].map((name) => ({ name, rule: BOOLEAN, byDefault: 'false' }))

/**
 * Names without the prefix `schedTask_<id>_`. They have no defaults; a task has the keys it was given, at least
 * `OptMode`.
 */
export const TASK_KEYS: readonly Omit<KnownKey, 'byDefault'>[] = [
  ...['TaskName', 'TaskDescription', 'TaskOwner', 'TaskLastTouchedBy', 'PoolUUID'].map((name) => ({
    name,
    rule: TEXT,
  })),
  { name: 'TaskEnabled', rule: BOOLEAN },
  { name: 'TaskDelete', rule: BOOLEAN },
  { name: 'TaskLastRunResult', rule: { kind: 'outcome' } },
  { name: 'TriggerType', rule: whole(0, 3) },
  { name: 'TriggerDaysOfWeek', rule: whole(0, 127) },
  { name: 'TriggerExecuteTime', rule: { kind: 'moment' } },
  { name: 'TaskLastTouched', rule: { kind: 'moment' } },
  { name: 'TriggerLastRun', rule: { kind: 'moment' } },
  // Misspelled in the protocol.
  { name: 'TriggerEndabledDate', rule: { kind: 'moment' } },
  { name: 'TriggerDisabledDate', rule: { kind: 'moment' } },
  { name: 'ActionType', rule: whole(0, 2) },
  { name: 'OptMode', rule: whole(0, 1) },
]

/** Finds a key by its name in any letter case. */
export function findKey<Key extends { readonly name: string }>(keys: readonly Key[], name: string): Key | undefined {
  const wanted = name.toLowerCase()
  return keys.find((key) => key.name.toLowerCase() === wanted)
}

function throughput(name: string): KnownKey[] {
  return [
    { name: `${name}ThresholdCritical`, rule: number(MEBIBYTE, 10_000 * MEBIBYTE), byDefault: '27262976' },
    ...graded(`${name}Threshold`, number(0, 10_000 * MEBIBYTE), ['23173530', '13631488', '4089446']),
  ]
}

function levels(name: string, rule: ValueRule, byDefault: readonly [string, string, string, string]): KnownKey[] {
  const [critical, ...rest] = byDefault
  return [{ name: `${name}Critical`, rule, byDefault: critical }, ...graded(name, rule, rest)]
}

function graded(name: string, rule: ValueRule, byDefault: readonly [string, string, string]): KnownKey[] {
  const [high, medium, low] = byDefault
  return [
    { name: `${name}High`, rule, byDefault: high },
    { name: `${name}Medium`, rule, byDefault: medium },
    { name: `${name}Low`, rule, byDefault: low },
  ]
}

function whole(min: number, max: number): ValueRule {
  return { kind: 'whole', min, max }
}

function number(min: number, max: number): ValueRule {
  return { kind: 'number', min, max }
}

function words(...known: string[]): ValueRule {
  return { kind: 'word', words: known }
}
