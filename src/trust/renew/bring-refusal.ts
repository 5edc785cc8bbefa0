/** Why an appliance does not bring a new anchor to its pools by itself; the certificate before serves on. */
import { WlbError } from '../../base/error.js'

/** Its owner has said that nothing is to be done there without him. */
export function poolPaused(uuid: string): WlbError {
  return new WlbError(
    'WLB_PAUSED',
    'Workload balancing is paused in this pool: until it goes on, nothing is done there by itself.',
    { pool: uuid },
    `xe pool-param-set wlb-enabled=true uuid=${uuid}`,
  )
}

/** Who may not change the pool's trust, or not enter: alone, an operator may do it; among others, the appliance has to. */
export function roleRemedy({ code, remedy }: WlbError, address: string, pools: number): string {
  if (code !== 'RBAC_PERMISSION_DENIED' && code !== 'POOL_CREDENTIALS_REFUSED') return remedy
  return pools === 1
    ? `wlb trust renew --pool ${address} --username USER --password-file FILE`
    : 'xe pool-initialize-wlb wlb_url=... wlb_username=... wlb_password=... xenserver_username=USER xenserver_password=...'
}

export function undoCutShort(by: string): WlbError {
  return new WlbError(
    'ANOTHER_RUN_OPEN',
    'What was done in this pool was being taken back, and that was cut short.',
    { run: `wlb trust ${by}` },
    'wlb trust undo',
  )
}

export function undoOtherPools(pools: readonly string[]): WlbError {
  return new WlbError(
    'UNDO_OTHER_POOLS',
    'Other pools do not trust the certificate before any more, and would refuse it.',
    { pools: pools.join(', ') },
    'wlb trust undo --other-pools-ready',
  )
}
