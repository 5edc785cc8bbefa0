/** One call and one reply of every method, used wherever "each of the nine" is meant; and arbitrary ones. */
import fc from 'fast-check'
import type { WlbCall, WlbReply } from '../../src/wlb/index.js'

const poolUuid = '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10'
const hostUuid = '9a1c0000-0000-4000-8000-000000000001'
const vmUuid = '5d0e4a52-52a1-47a5-a9f7-0b5a0a3ad301'

export const CALLS: readonly WlbCall[] = [
  {
    method: 'AddXenServer',
    request: { password: 'p&ss <"\'>', poolUuid, userName: 'root', xenServerUrl: 'http://192.0.2.10:80/' },
  },
  { method: 'RemoveXenServer', request: { poolUuid } },
  {
    method: 'SetXenPoolConfiguration',
    request: {
      entries: [
        ['OptimizationMode', '1'],
        ['<awkward', `"quoted" & 'more'`],
        ['empty', ''],
      ],
      poolUuid,
    },
  },
  { method: 'GetXenPoolConfiguration', request: { poolUuid } },
  { method: 'VMGetRecommendations', request: { poolUuid, vmUuid } },
  { method: 'HostGetRecommendations', request: { hostUuid, poolUuid } },
  { method: 'GetOptimizationRecommendations', request: { poolUuid } },
  {
    method: 'ExecuteReport',
    request: {
      reportName: 'host_health_history',
      parameters: [
        ['LocaleCode', 'en'],
        ['Start', '-6'],
        ['Filter', ''],
      ],
    },
  },
  { method: 'GetDiagnostics', request: {} },
]

export const REPLIES: readonly WlbReply[] = [
  { method: 'AddXenServer', result: { id: '1' } },
  { method: 'RemoveXenServer', result: {} },
  { method: 'SetXenPoolConfiguration', result: {} },
  {
    method: 'GetXenPoolConfiguration',
    result: {
      entries: [
        ['OptimizationMode', '0'],
        ['WlbVersion', '8.0'],
      ],
    },
  },
  {
    method: 'VMGetRecommendations',
    result: {
      recommendations: [
        { hostUuid, recommendationId: '417', stars: 4.1, zeroScoreReason: 'None' },
        { hostUuid: poolUuid, recommendationId: '418', stars: 0, zeroScoreReason: 'Memory' },
      ],
    },
  },
  { method: 'HostGetRecommendations', result: { recommendations: [{ hostUuid, recommendationId: '420', vmUuid }] } },
  {
    method: 'GetOptimizationRecommendations',
    result: {
      kind: 'unbalanced',
      optimizationId: '77',
      severity: 'High',
      recommendations: [
        {
          kind: 'move',
          vmUuid,
          fromHostUuid: hostUuid,
          toHostUuid: poolUuid,
          reason: 'Consolidate',
          recommendationId: '431',
        },
        { kind: 'power', hostUuid, reason: 'PowerOff', recommendationId: '432' },
      ],
    },
  },
  { method: 'ExecuteReport', result: { text: '<NewDataSet><name>a & b</name></NewDataSet>' } },
  { method: 'GetDiagnostics', result: { text: 'version 0.1.0\npools 1' } },
]

/** Text of any kind, with what has broken XML writers before mixed in. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '&',
        '<',
        '>',
        '"',
        "'",
        ']]>',
        '<![CDATA[',
        '😀',
        '\u0001',
        '\r',
        '\n',
        '&#xD;',
        '\ufffe',
        ' ',
        'ü',
      ),
      {
        maxLength: 12,
      },
    )
    .map((pieces) => pieces.join('')),
)

/** What is left of a text when XML has carried it: characters it cannot carry are gone. */
export function carried(text: string): string {
  return text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
}

/** And what a pool's reader leaves of it: text that is only blanks counts as none. */
export function carriedToPool(text: string): string {
  const kept = carried(text)
  return /^[ \t\n]*$/.test(kept) ? '' : kept
}
