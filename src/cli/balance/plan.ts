/** `wlb balance plan`: the moves, what they do to each host, and why. */

import {
  type Explanation,
  explain,
  type HostLoad,
  hostLoads,
  optimise,
  type Plan,
  type Pool,
} from '../../balance/index.js'
import { visible } from '../../base/text/printable.js'
import { fail } from '../errors.js'
import { printJson, printText, renderFacts, renderTable } from '../terminal/print.js'
import type { PlanFlags } from './commands.js'
import { readDocument } from './read-document.js'
import { streamPlans } from './stream.js'

/** @throws USAGE_NEEDS_POOL_FILE, POOL_DOCUMENT_INVALID */
export async function balancePlan({ poolFile, stream, explain: isExplained = false, json }: PlanFlags): Promise<void> {
  if (stream) return streamPlans(poolFile ?? '-', isExplained)
  if (poolFile === undefined) throw fail('USAGE_NEEDS_POOL_FILE', { missing: '--pool-file' })
  const pool = await readDocument(poolFile)
  const plan = optimise(pool)
  const explanation = isExplained ? explain(pool, plan) : undefined
  if (json) printJson(explanation ? { ...plan, explanation } : plan)
  else printText(`${describePlan(visible(pool), visible(plan), visible(explanation))}\n`)
}

export function describePlan(pool: Pool, plan: Plan, explanation?: Explanation): string {
  return [
    describeVerdict(plan),
    ...(plan.moves.length > 0 ? ['', describeMoves(pool, plan)] : []),
    ...(plan.power.length > 0 ? ['', describePower(pool, plan)] : []),
    ...(pool.hosts.length > 0 ? ['', describeHosts(hostLoads(pool, plan))] : []),
    ...(plan.stuck.length > 0 ? ['', describeStuck(pool, plan)] : []),
    ...(explanation ? ['', describeExplanation(pool, plan, explanation)] : []),
  ].join('\n')
}

const VERDICTS = {
  plan: 'A plan',
  'nothing-to-do': 'Nothing worth doing',
  cannot: 'Something is wrong and cannot be repaired',
}

function describeVerdict({ verdict, because, severity, before, after }: Plan): string {
  const change = (name: 'congestion' | 'minutesOver90' | 'minutesOver765' | 'hostsOn') =>
    before[name] === after[name] ? `${before[name]}` : `${before[name]} -> ${after[name]}`
  return [
    `${VERDICTS[verdict]}: ${because}.`,
    renderFacts([
      ['severity', severity],
      ['congestion', `${change('congestion')} host-minutes a minute`],
      ['over 90 %', `${change('minutesOver90')} host-minutes in the next hour`],
      ['over 76.5 %', `${change('minutesOver765')} host-minutes in the next hour`],
      ['hosts on', change('hostsOn')],
    ]),
  ].join('\n')
}

function describeMoves(pool: Pool, { moves }: Plan): string {
  return renderTable(
    ['#', 'VM', 'from', 'to', 'reason', 'gain', 'cost', 'seconds'],
    moves.map(({ vm, from, to, reason, gain, cost, seconds }, at) => [
      `${at + 1}`,
      vmName(pool, vm),
      hostName(pool, from),
      hostName(pool, to),
      reason,
      gain.toFixed(1),
      cost.toFixed(1),
      `${seconds}`,
    ]),
  )
}

function describePower(pool: Pool, { power }: Plan): string {
  return power
    .map(({ host, action, after }) => `${hostName(pool, host)} is switched ${action} after move ${after}`)
    .join('\n')
}

/** Bars, for whoever would rather look than read. */
function describeHosts(loads: readonly HostLoad[]): string {
  return renderTable(
    ['host', 'CPU', 'before', 'CPU', 'after', 'memory', 'VMs'],
    loads.map(({ name, before, after }) => [
      name,
      bar(before.cpu),
      percent(before.cpu),
      bar(after.cpu),
      percent(after.cpu),
      `${percent(before.memory)} -> ${percent(after.memory)}`,
      `${before.vms} -> ${after.vms}`,
    ]),
  )
}

const BAR_WIDTH = 10

function bar(share: number): string {
  const filled = Math.min(BAR_WIDTH, Math.round(share * BAR_WIDTH))
  return `${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function describeStuck(pool: Pool, { stuck }: Plan): string {
  const names = stuck.map((one) => ('vm' in one ? vmName(pool, one.vm) : hostName(pool, one.host)))
  return `Not repaired:\n${renderTable(
    ['what', 'code', 'why'],
    stuck.map(({ code, why }, at) => [names[at] ?? '', code, why]),
  )}`
}

function describeExplanation(pool: Pool, { moves }: Plan, explanation: Explanation): string {
  const lines = moves.flatMap(({ vm, to, why }, at) => {
    const { second = null, refused = [] } = explanation.moves[at] ?? {}
    return [
      `${at + 1}. ${vmName(pool, vm)} to ${hostName(pool, to)}`,
      `   ${why}`,
      `   second best: ${second?.why ?? 'there is none'}`,
      ...refused.map(({ host, code, why: whyNot }) => `   not ${hostName(pool, host)}: ${whyNot} (${code})`),
    ]
  })
  const stuck = explanation.stuck.flatMap(({ vm, refused }) => [
    `${vmName(pool, vm)} should move`,
    ...refused.map(({ host, code, why }) => `   not to ${hostName(pool, host)}: ${why} (${code})`),
  ])
  const kept = explanation.kept.map(({ host, code, why }) => `${hostName(pool, host)} stays on: ${why} (${code})`)
  const congested = explanation.congested.map(({ host, why }) => `${hostName(pool, host)} stays congested: ${why}`)
  return [...lines, ...stuck, ...kept, ...congested].join('\n') || 'No host is congested.'
}

export function hostName({ hosts }: Pool, uuid: string): string {
  return hosts.find((host) => host.uuid === uuid)?.name ?? uuid
}

export function vmName({ vms }: Pool, uuid: string): string {
  return vms.find((vm) => vm.uuid === uuid)?.name ?? uuid
}
