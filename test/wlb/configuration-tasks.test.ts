import { describe, expect, it } from 'vitest'
import { applyChanges, type Pair } from '../../src/wlb/index.js'
import { describeChange, entries, fresh, HOSTS, storedAfter } from './change-words.js'

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
    ['11/23/2026 7:00:00\u202fPM', '2026-11-23 19:00:00'],
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
