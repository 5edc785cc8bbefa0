/** How plans, steps and hosts are shown: the same for `wlb trust plan`, `apply` and `undo`. */
import type { HostVerdict, Prepared, StepReport } from '../../trust/index.js'
import { renderFacts, renderTable } from '../print.js'

const VOUCHED = {
  files: 'the files given',
  fingerprint: 'the fingerprint given',
  pool: 'the pool, which has it installed',
  appliance: 'the appliance itself, asked on its own machine or over SSH',
  journal: 'whoever did when the run began that is gone on with',
  person: 'you, who compared the fingerprints',
}

export function describePlan({ connection, plan, trusted }: Prepared, steps: readonly StepReport[]): string {
  const { pool, appliance, hosts } = connection
  const [coordinator] = hosts
  const [leaf] = trusted.candidates
  const identity = appliance.local?.identity
  const own = identity && 'fingerprintSha256' in identity ? identity.fingerprintSha256 : undefined
  const stated = trusted.stated ?? own
  const facts = renderFacts([
    ['pool', `${pool.name} (${pool.uuid}), ${hosts.length} hosts`],
    ['coordinator', `${coordinator?.name} at ${coordinator?.address}`],
    ['appliance', `${plan.name}, asked at ${appliance.host}:${appliance.port}`],
    ['connected to', pool.wlbUrl || 'nothing yet'],
    ['vouched for by', VOUCHED[trusted.by]],
    ...(plan.goal === 'self-signed' && leaf ? [['seen from here', leaf.fingerprint256] as const] : []),
    ...(stated === undefined ? [] : [['it says itself', stated] as const]),
  ])
  const numbered = steps.map(({ title, command, state }, index) => {
    return `${String(index + 1).padStart(2)}. ${title}${state === 'already' ? ' (already so)' : ''}\n    # ${command}`
  })
  const byHand = plan.byHand.map(
    ({ title, command }) => ` -  by hand, or with --wlb-password-file FILE: ${title}\n    # ${command}`,
  )
  const notes = plan.notes.map((note) => `note: ${note}`)
  return [
    facts,
    [...numbered, ...byHand].join('\n'),
    ...(notes.length > 0 ? [notes.join('\n')] : []),
    renderHosts(plan.verdicts),
  ].join('\n\n')
}

export function renderHosts(hosts: readonly HostVerdict[]): string {
  const rows = hosts.map(({ host, verdict, proof, error, why }) => {
    const said = proof === 'host' ? 'said by the host' : 'predicted'
    return [host, verdict, said, error.length > 0 ? error.join(': ') : why]
  })
  return renderTable(['host', 'verdict', 'proof', ''], rows)
}

const SIGNS = { done: 'done', already: 'already so', failed: 'FAILED', undone: 'undone', planned: 'to do' }

export function describeStep({ title, state, error }: StepReport): string {
  const lines = [`${SIGNS[state].padEnd(10)}  ${title}`]
  if (error) lines.push(`            ${error.message} [${error.code}]`)
  return lines.join('\n')
}
