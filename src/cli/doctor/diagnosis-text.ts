/** Text of a diagnosis: one paragraph for each finding, and at the end what to do. */
import { counted } from '../../base/text/counted.js'
import type { Diagnosis, Evidence, Finding, FixedStep } from '../../trust/index.js'

export function describeDiagnosis(evidence: Evidence, diagnosis: Diagnosis, fixed: readonly FixedStep[]): string {
  const { findings, notSeen } = diagnosis
  return [
    ...describeScene(evidence),
    '',
    ...fixed.map(
      ({ command, state, why }) => `${state === 'done' ? 'done' : 'FAILED'}: ${command}${why && ` (${why})`}`,
    ),
    ...(fixed.length > 0 ? [''] : []),
    ...findings.flatMap((finding, index) => [...describeFinding(finding, index + 1), '']),
    ...(notSeen.length > 0 ? ['not seen:', ...notSeen.map((sentence) => `- ${sentence}`), ''] : []),
    ...describeEnd(diagnosis, evidence),
  ].join('\n')
}

export function describeScene(evidence: Evidence): string[] {
  const { pool, hosts, appliance, at, local } = evidence
  const asked = appliance ? `${appliance.host}:${appliance.port}` : 'unknown'
  return [
    ...(pool
      ? [
          `pool:       ${pool.name}, ${counted(hosts.length, 'host')}, connected to ${pool.wlbUrl || 'nothing'}, verification ${pool.verifies ? 'on' : 'OFF'}`,
        ]
      : []),
    `appliance:  ${asked}, ${appliance?.endpoint.state ?? 'not looked at'}${local?.isAsked ? ', on this machine' : ''}`,
    ...describeDisks(evidence),
    ...(at ? [`asked for:  ${at.toISOString()}`] : []),
  ]
}

function describeDisks({ hosts, stores }: Evidence): string[] {
  if (!stores) return []
  const seen = hosts.filter(({ uuid }) => stores.get(uuid)?.state === 'seen').map(({ name }) => name)
  return [`disks:      ${seen.length === hosts.length ? 'of all hosts' : seen.join(', ') || 'none'} seen`]
}

function describeFinding({ row, code, severity, host, cause, evidence, remedy }: Finding, index: number): string[] {
  const number = row > 0 ? ` row ${row}` : ''
  return [
    `${index}. ${severity.toUpperCase()}${number} ${code}${host === '' ? '' : ` on ${host}`}`,
    `   ${cause}`,
    `   seen: ${evidence}`,
    ...(remedy === '' ? [] : [`   try:  ${remedy}`]),
  ]
}

function describeEnd({ healthy, blame, predicted, findings }: Diagnosis, { pool, at }: Evidence): string[] {
  const [code, ...params] = predicted
  const error =
    code === undefined ? 'nothing, it works' : `${code}${params.length > 0 ? ` [${params.join('; ')}]` : ''}`
  const says = pool ? [`the pool ${at ? 'will say' : 'says'}: ${error}`] : []
  if (healthy) return [...says, 'healthy']
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`
  const [first] = findings
  const next = first && first.remedy !== '' ? `mend the first one, then ask again: ${first.remedy}` : 'could not tell'
  return [...says, `${code === undefined ? 'it lies with' : 'it fails by'}: ${blame}`, `${count}; ${next}`]
}
