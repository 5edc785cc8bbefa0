/** One thing done to a draft: how often, what it is called, and how; false where it does not fit. */
import { authoritiesOf, type Draft } from './draft.js'
import type { CertificatePlan } from './plan.js'

export type Twist = readonly [weight: number, what: string, apply: (draft: Draft) => boolean | undefined]

export const anyOf = ({ random, chain }: Draft): CertificatePlan => random.pick(chain)

export function on(plan: CertificatePlan, change: Partial<CertificatePlan>): true {
  Object.assign(plan, change)
  return true
}

/** Changes one authority of the chain, the root included. */
export function onAuthority(draft: Draft, change: Partial<CertificatePlan>): boolean {
  const authorities = authoritiesOf(draft)
  return authorities.length > 0 && on(draft.random.pick(authorities), change)
}
