import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { applyChanges, completeConfiguration, defaultPoolConfiguration, type Pair } from '../../src/wlb/index.js'
import { describeChange, entries, fresh, HOST, HOSTS, OTHER, STRANGER, storedAfter } from './change-words.js'
import { anyText } from './samples.js'

describe('a new pool', () => {
  it('has every key a console reads, for the pool', () => {
    const levels = ['Critical', 'High', 'Medium', 'Low']
    const metrics = ['Cpu', 'Memory', 'PifRead', 'PifWrite', 'PbdRead', 'PbdWrite', 'LoadAverage']
    const ofVm = ['VmCpuUtilization', 'VmMemory', 'VmNetworkRead', 'VmNetworkWrite', 'VmDiskRead', 'VmDiskWrite']
    const names = [
      ...[
        'OptimizationMode',
        'EnableOptimizationModeSchedules',
        'OverCommitCpuInPerfMode',
        'OverCommitCpuInDensityMode',
      ],
      ...['AutoBalanceEnabled', 'AutoBalancePollIntervals', 'AutoBalanceSeverity', 'AutoBalanceAggressiveness'],
      ...['PowerManagementEnabled', 'PowerManagementPollIntervals', 'RecentMoveMinutes', 'MetricGroomingPeriod'],
      ...['PoolAuditLogGranularity', 'ReportingSMTPServer', 'CredentialsValid', 'WlbVersion'],
      ...metrics.flatMap((metric) => levels.map((level) => `Host${metric}Threshold${level}`)),
      ...ofVm.flatMap((name) =>
        levels.slice(1).flatMap((level) => [`${name}Weight${level}`, `${name}Threshold${level}`]),
      ),
      ...['WeightCurrentMetrics', 'WeightRecentMetrics', 'WeightHistoricalMetrics'],
    ]
    expect([...defaultPoolConfiguration([], '8.0').keys()].sort()).toEqual(names.sort())
  })

  it('has six keys for each host', () => {
    const ofHost = [...fresh().keys()].filter((key) => key.startsWith(`host_${OTHER}_`))
    expect(ofHost.map((key) => key.split('_')[2]).sort()).toEqual([
      'ExcludeFromEvacuationRecommendations',
      'ExcludeFromPlacementRecommendations',
      'ExcludeFromPoolOptimizationAcceptVMs',
      'ExcludeFromPoolOptimizations',
      'LastPowerOnSucceeded',
      'ParticipatesInPowerManagement',
    ])
  })

  const defaults: [key: string, value: string][] = [
    ['OptimizationMode', '0'],
    ['OverCommitCpuInDensityMode', 'true'],
    ['AutoBalancePollIntervals', '3'],
    ['AutoBalanceSeverity', 'High'],
    ['AutoBalanceAggressiveness', 'Low'],
    ['RecentMoveMinutes', '30'],
    ['MetricGroomingPeriod', '52'],
    ['PoolAuditLogGranularity', 'Minimum'],
    ['ReportingSMTPServer', ''],
    ['CredentialsValid', 'true'],
    ['WlbVersion', '8.0'],
    ['HostCpuThresholdCritical', '0.9'],
    ['HostCpuThresholdHigh', '0.76'],
    ['HostCpuThresholdMedium', '0.45'],
    ['HostCpuThresholdLow', '0.13'],
    ['HostMemoryThresholdCritical', '53477376'],
    ['HostMemoryThresholdHigh', '66846720'],
    ['HostMemoryThresholdMedium', '534773760'],
    ['HostMemoryThresholdLow', '1069547520'],
    ['HostPifReadThresholdCritical', '27262976'],
    ['HostPbdWriteThresholdHigh', '23173530'],
    ['HostPbdWriteThresholdMedium', '13631488'],
    ['HostPbdWriteThresholdLow', '4089446'],
    [`host_${HOST}_ParticipatesInPowerManagement`, 'false'],
  ]
  it.each(defaults)('%s is %j', (key, value) => {
    expect(fresh().get(key)).toBe(value)
  })

  it('holds numbers without exponent and booleans in lower case', () => {
    for (const [key, value] of fresh()) {
      expect(`${key}=${value}`).toMatch(/=(?:\d+(?:\.\d+)?|true|false|Low|High|Minimum|)$/)
    }
  })
})

describe('a change', () => {
  const poolKey = `host_${HOST}_ExcludeFromPoolOptimizations`
  const cases: [sent: string, outcome: string][] = [
    ['', ''],
    ['OptimizationMode=1', 'OptimizationMode=1'],
    ['OptimizationMode=0', ''],
    ['optimizationMODE=1', 'OptimizationMode=1'],
    ['OptimizationMode=1 OptimizationMode=0', ''],
    ['OptimizationMode=2', '4011 OptimizationMode must be between 0 and 1'],
    ['OptimizationMode=performance', '4007 OptimizationMode must be a whole number'],
    ['HostCpuThresholdCritical=0.8', 'HostCpuThresholdCritical=0.8'],
    ['HostCpuThresholdCritical=1', 'HostCpuThresholdCritical=1'],
    ['HostCpuThresholdCritical=1.5', '4011 HostCpuThresholdCritical must be between 0 and 1'],
    ['HostCpuThresholdCritical=-0.1', '4011 HostCpuThresholdCritical must be between 0 and 1'],
    ['HostCpuThresholdCritical=0,9', '4007 HostCpuThresholdCritical must be a number such as 0.9'],
    ['HostCpuThresholdCritical=1e2', '4007 HostCpuThresholdCritical must be a number such as 0.9'],
    ['HostCpuThresholdCritical=', '4007 HostCpuThresholdCritical must be a number such as 0.9'],
    ['HostPifReadThresholdCritical=10485760000', 'HostPifReadThresholdCritical=10485760000'],
    ['HostPifReadThresholdCritical=0', '4011 HostPifReadThresholdCritical must be between 1048576 and 10485760000'],
    ['HostMemoryThresholdCritical=0', 'HostMemoryThresholdCritical=0'],
    ['HostMemoryThresholdLow=671088640000', 'HostMemoryThresholdLow=671088640000'],
    ['HostLoadAverageThresholdHigh=12.5', 'HostLoadAverageThresholdHigh=12.5'],
    ['AutoBalancePollIntervals=0', '4011 AutoBalancePollIntervals must be between 1 and 100'],
    ['AutoBalancePollIntervals=100', 'AutoBalancePollIntervals=100'],
    ['AutoBalancePollIntervals=2.5', '4007 AutoBalancePollIntervals must be a whole number'],
    ['RecentMoveMinutes=261', '4011 RecentMoveMinutes must be between 1 and 260'],
    ['AutoBalanceSeverity=critical', 'AutoBalanceSeverity=Critical'],
    ['AutoBalanceSeverity=Severe', '4007 AutoBalanceSeverity must be one of Low, Medium, High, Critical'],
    ['AutoBalanceEnabled=True', 'AutoBalanceEnabled=true'],
    ['AutoBalanceEnabled=TRUE', 'AutoBalanceEnabled=true'],
    ['AutoBalanceEnabled=false', ''],
    ['AutoBalanceEnabled=yes', '4007 AutoBalanceEnabled must be true or false'],
    ['OptimizationMode=1 AutoBalanceEnabled=yes', '4007 AutoBalanceEnabled must be true or false'],
    ['WlbVersion=1.0 credentialsVALID=false', ''],
    ['CpuHighThresholdFactor=.5 networkWriteHighThresholdFactor=1 DiskReadLowWeightFactor=x', ''],
    ['rpSub_1_name=report', ''],
    ['set_host_configuration=true set_scheduled_task=True delete_scheduled_task=false', ''],
    ['set_host_configuration=maybe', '4007 set_host_configuration must be true or false'],
    ['UnknownKey=Value', 'UnknownKey=Value'],
    ['=value', '4007 a key is empty'],
    // Hosts.
    [`${poolKey}=True`, `${poolKey}=true`],
    [`${poolKey}=True set_host_configuration=true`, `${poolKey}=true`],
    [`HOST_${HOST.toUpperCase()}_excludefrompooloptimizations=true`, `${poolKey}=true`],
    [`${poolKey}=1`, `4007 ${poolKey} must be true or false`],
    [`host_${HOST}_Rack=b 7`.replace(' ', '-'), `host_${HOST}_Rack=b-7`],
    [`host_${STRANGER}_Rack=7`, `4023 host_${STRANGER}_Rack names a host that is not in this pool`],
    [`host_${HOST}_My_Rack=7`, `4007 host_${HOST}_My_Rack must be host_, a uuid, _ and a name`],
    ['host_rack=7', '4007 host_rack must be host_, a uuid, _ and a name'],
  ]
  it.each(cases)('"%s" changes "%s"', (sent, outcome) => {
    expect(describeChange(fresh(), entries(sent))).toBe(outcome)
  })

  const awkward: Pair[] = [
    ['<awkward', '"quotes" & \'more\''],
    ['a&b', 'two\nlines'],
    ['amper', '&sand'],
    [' blank ', ' '],
    ['ünï😀', ']]>'],
  ]
  it.each(awkward)('a key nobody knows comes back byte for byte: %j', (key, value) => {
    const stored = storedAfter(fresh(), [[key, value]])
    expect(stored.get(key)).toBe(value)
    expect(stored.size).toBe(fresh().size + 1)
  })

  it('leaves what it was applied to alone', () => {
    const current = fresh()
    applyChanges(current, entries('OptimizationMode=1 New=1'), HOSTS)
    expect(current).toEqual(fresh())
  })

  it('ends at ten thousand keys', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index): Pair => [`key${index}`, ''])
    const full = storedAfter(fresh(), many(10_000 - fresh().size))
    expect(describeChange(full, [['one more', '']])).toBe('4007 one more finds no room in the dictionary')
    expect(describeChange(full, entries('OptimizationMode=1'))).toBe('OptimizationMode=1')
  })

  it('a host that left may still be sent back', () => {
    const current = new Map([...fresh(), [`host_${STRANGER}_Rack`, '7']])
    expect(describeChange(current, [[`host_${STRANGER}_Rack`, '8']])).toBe(`host_${STRANGER}_Rack=8`)
  })

  it('a host that joined has its keys in the next answer, and nothing else changes', () => {
    const stored = storedAfter(defaultPoolConfiguration([HOST], '8.0'), entries('OptimizationMode=1 New=1'))
    const complete = completeConfiguration(stored, HOSTS, '9.1')
    expect(complete.get(`host_${OTHER}_LastPowerOnSucceeded`)).toBe('false')
    expect(complete.get('WlbVersion')).toBe('9.1')
    for (const [key, value] of stored) if (key !== 'WlbVersion') expect(complete.get(key)).toBe(value)
    expect(complete.size).toBe(stored.size + 6)
  })
})

describe('whatever is sent', () => {
  const known = fc.constantFrom(
    ...fresh().keys(),
    'set_scheduled_task',
    'schedTask_0_OptMode',
    'schedTask_3_TaskDelete',
    'host_',
    'x',
  )
  const value = fc.oneof(anyText, fc.constantFrom('true', 'False', '0', '1', '0.5', 'High', 'Minimum', '1e9'))
  const sent = fc.array(fc.tuple(fc.oneof(known, anyText), value), { maxLength: 8 })

  test('sending everything back changes nothing', () => {
    fc.assert(
      fc.property(sent, (changes) => {
        const change = applyChanges(fresh(), changes, HOSTS)
        const current = change.state === 'changed' ? change.configuration : fresh()
        expect(describeChange(current, [...current])).toBe('')
      }),
    )
  })

  test('a refusal names a key, and no control key is ever kept', () => {
    fc.assert(
      fc.property(sent, (changes) => {
        const change = applyChanges(fresh(), changes, HOSTS)
        if (change.state === 'refused') expect(change.message).toContain(change.key)
        else
          for (const key of change.configuration.keys()) expect(key).not.toMatch(/^(?:set|delete)_(?:host|sched|rep)/i)
      }),
    )
  })

  test('twice is once', () => {
    fc.assert(
      fc.property(sent, (changes) => {
        const once = applyChanges(fresh(), changes, HOSTS)
        if (once.state === 'changed') expect(describeChange(once.configuration, changes)).toBe('')
      }),
    )
  })
})
