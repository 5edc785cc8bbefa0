/** The words of `wlb trust`. */
import type { Command } from 'commander'
import { addTrustFetch } from './trust-fetch.js'
import { addTrustInstall } from './trust-install.js'
import { addTrustPlan } from './trust-plan.js'
import { addTrustRenew } from './trust-renew.js'
import { addTrustStatus } from './trust-status.js'

export function addTrust(program: Command, root: () => string): void {
  const trust = program.command('trust').description('make every host of a pool trust the appliance, and keep it so')
  addTrustStatus(trust, root)
  addTrustPlan(trust, root)
  addTrustRenew(trust, root)
  addTrustFetch(trust, root)
  addTrustInstall(trust)
}
