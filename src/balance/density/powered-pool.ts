/** The pool while its hosts are switched on and off: the compiled pool with those hosts that run at the time. */
import { compile } from '../compiled/compile.js'
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import type { Host, Pool } from '../document/pool-document.js'

/** The pool with every host that may be switched on, as if it ran; and the numbers of these hosts. */
export function compileAwake(pool: Pool): { readonly awake: CompiledPool; readonly asleep: readonly number[] } {
  const occupied = new Set(
    pool.vms.filter(({ state }) => state === 'running' || state === 'paused').map(({ host }) => host),
  )
  const isAsleep = ({ uuid, live, power }: Host) => !live && power?.poweredOffByUs === true && !occupied.has(uuid)
  const asleep = pool.hosts.filter(isAsleep).map(({ uuid }) => uuid)
  const awake = compile({
    ...pool,
    hosts: pool.hosts.map((host) => (isAsleep(host) ? { ...host, live: true, enabled: true } : host)),
  })
  return { awake, asleep: asleep.map((uuid) => awake.hostNumbers.get(uuid) ?? NOWHERE).sort((a, b) => a - b) }
}

/** The pool with host `h` on or off. */
export function withPower(pool: CompiledPool, h: number, action: 'on' | 'off'): CompiledPool {
  const host = pool.hosts[h]
  if (!host) return pool
  const isOn = action === 'on'
  return {
    ...pool,
    hosts: pool.hosts.with(h, { ...host, live: isOn, enabled: isOn }),
    isLive: pool.isLive.with(h, Number(isOn)),
    isEnabled: pool.isEnabled.with(h, Number(isOn)),
    isAccepting: pool.isAccepting.with(h, Number(isOn && !host.excluded.includes('accepting'))),
  }
}
