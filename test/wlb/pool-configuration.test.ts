import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { applyChanges, completeConfiguration, defaultPoolConfiguration, type Pair } from '../../src/wlb/index.js'
import { anyText } from './samples.js'

const HOST = '9a1c0000-0000-4000-8000-000000000001'
const OTHER = '9a1c0000-0000-4000-8000-000000000002'
const STRANGER = '9a1c0000-0000-4000-8000-00000000000f'
const HOSTS = [HOST, OTHER]
const fresh = () => defaultPoolConfiguration(HOSTS, '8.0')

/** `a=1 b=` as entries. */
function entries(words: string): Pair[] {
  return words === ''
    ? []
    : words.split(' ').map((word): Pair => [word.replace(/=.*/s, ''), word.replace(/^[^=]*=/, '')])
}

/** What a change made different, in the same words; `-key` where one went; or the refusal. */
function describeChange(current: ReadonlyMap<string, string>, sent: readonly Pair[]): string {
  const change = applyChanges(current, sent, HOSTS)
  if (change.state === 'refused') return `${change.code} ${change.message}`
  const changed = [...change.configuration].filter(([key, value]) => current.get(key) !== value)
  const gone = [...current.keys()].filter((key) => !change.configuration.has(key))
  return [...changed.map(([key, value]) => `${key}=${value}`), ...gone.map((key) => `-${key}`)].join(' ')
}

function storedAfter(current: ReadonlyMap<string, string>, sent: readonly Pair[]): ReadonlyMap<string, string> {
  const change = applyChanges(current, sent, HOSTS)
  if (change.state === 'refused') throw new Error(change.message)
  return change.configuration
}

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

describe('scheduled tasks', () => {
  const weekdays = 'TaskEnabled=True TriggerDaysOfWeek=62 TriggerExecuteTime=11/23/2026~7:00:00~PM OptMode=1'
  const task = (id: number, words: string) =>
    entries(words).map(([name, value]): Pair => [`schedTask_${id}_${name}`, value.replaceAll('~', ' ')])
  const withTask = () => storedAfter(fresh(), task(0, weekdays))

  it('a new one gets an id, a mode, and a time without a zone', () => {
    expect([...withTask()].filter(([key]) => key.startsWith('schedTask_'))).toEqual([
      ['schedTask_1_TaskEnabled', 'true'],
      ['schedTask_1_TriggerDaysOfWeek', '62'],
      ['schedTask_1_TriggerExecuteTime', '2026-11-23 19:00:00'],
      ['schedTask_1_OptMode', '1'],
    ])
  })

  const times: [sent: string, stored: string][] = [
    ['11/23/2026 7:00:00 PM', '2026-11-23 19:00:00'],
    ['1/2/2026 12:00:00 AM', '2026-01-02 00:00:00'],
    ['1/2/2026 12:30:00 PM', '2026-01-02 12:30:00'],
    ['11/23/2026 19:00:00', '2026-11-23 19:00:00'],
    ['1/1/0001 12:00:00 AM', '0001-01-01 00:00:00'],
    ['2026-11-23 19:00:00', '2026-11-23 19:00:00'],
    ['2026-11-23T19:00:00Z', '2026-11-23 19:00:00'],
    ['2026-11-23T19:00', '2026-11-23 19:00:00'],
    ['2026-11-23T23:30:00.123-02:00', '2026-11-24 01:30:00'],
    ['2026-01-01T00:15:00+05:45', '2025-12-31 18:30:00'],
    ['2024-02-29 00:00:00', '2024-02-29 00:00:00'],
    ['', ''],
    ['2026-02-29 00:00:00', 'refused'],
    ['23/11/2026 19:00:00', 'refused'],
    ['11/23/2026 13:00:00 PM', 'refused'],
    ['11/23/2026 24:00:00', 'refused'],
    ['tomorrow', 'refused'],
  ]
  it.each(times)('the time %j is kept as %j', (sent, stored) => {
    const change = applyChanges(fresh(), [...task(0, 'OptMode=0'), ['schedTask_0_TriggerExecuteTime', sent]], HOSTS)
    const outcome = change.state === 'refused' ? 'refused' : change.configuration.get('schedTask_1_TriggerExecuteTime')
    expect(outcome).toBe(stored)
  })

  const cases: [what: string, sent: Pair[], outcome: string][] = [
    [
      'another day is another task',
      task(0, 'OptMode=1 TriggerDaysOfWeek=1'),
      'schedTask_2_OptMode=1 schedTask_2_TriggerDaysOfWeek=1',
    ],
    ['two at once', [...task(0, 'OptMode=0'), ...task(-1, 'OptMode=1')], 'schedTask_2_OptMode=0 schedTask_3_OptMode=1'],
    ['the same again is the same task', task(-1, weekdays), ''],
    ['one field', task(1, 'OptMode=0'), 'schedTask_1_OptMode=0'],
    ['free text', task(1, 'TaskName=a Colour=red'), 'schedTask_1_TaskName=a schedTask_1_Colour=red'],
    ['a result as 0', task(1, 'TaskLastRunResult=0'), 'schedTask_1_TaskLastRunResult=false'],
    ['kept by TaskDelete=False', task(1, 'TaskDelete=False'), ''],
    [
      'deleted by TaskDelete=True',
      task(1, 'TaskDelete=True OptMode=0'),
      '-schedTask_1_TaskEnabled -schedTask_1_TriggerDaysOfWeek -schedTask_1_TriggerExecuteTime -schedTask_1_OptMode',
    ],
    [
      'deleted the old way',
      [['delete_scheduled_task', 'true'], ...task(1, 'OptMode=1')],
      '-schedTask_1_TaskEnabled -schedTask_1_TriggerDaysOfWeek -schedTask_1_TriggerExecuteTime -schedTask_1_OptMode',
    ],
    ['deleting what is not there', task(9, 'TaskDelete=true'), ''],
    ['no mode', task(0, 'TaskName=a'), '4007 schedTask_0_OptMode is missing'],
    ['an id somebody else deleted', task(7, 'OptMode=1'), 'schedTask_7_OptMode=1'],
    [
      'an id with a zero in front',
      [['schedTask_01_OptMode', '1']],
      '4007 schedTask_01_OptMode must be schedTask_, a whole number, _ and a name',
    ],
    ['no id', [['schedTask_OptMode', '1']], '4007 schedTask_OptMode must be schedTask_, a whole number, _ and a name'],
    [
      'a day too many',
      task(1, 'TriggerDaysOfWeek=128'),
      '4011 schedTask_1_TriggerDaysOfWeek must be between 0 and 127',
    ],
    ['a key in another letter case', [['SCHEDTASK_1_optmode', '0']], 'schedTask_1_OptMode=0'],
  ]
  it.each(cases)('%s', (_, sent, outcome) => {
    expect(describeChange(withTask(), sent)).toBe(outcome)
  })

  it('schedules are on only while some task is', () => {
    const on = entries('EnableOptimizationModeSchedules=true')
    expect(describeChange(fresh(), on)).toBe('')
    expect(describeChange(withTask(), on)).toBe('EnableOptimizationModeSchedules=true')
    expect(describeChange(fresh(), [...on, ...task(0, weekdays)])).toContain('EnableOptimizationModeSchedules=true')
    expect(describeChange(storedAfter(withTask(), on), task(1, 'TaskEnabled=false'))).toBe(
      'EnableOptimizationModeSchedules=false schedTask_1_TaskEnabled=false',
    )
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
