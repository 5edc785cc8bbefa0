/** Policies to compare with, and ours. Each is made anew for each replay, since some remember. */
import { optimise, type Policy, type Pool } from '../../src/balance/index.js'

export const nothing = (): Policy => ({ everyMinutes: 1440, decide: () => ({ moves: [] }) })

/** What `wlb balance plan` answers, asked every five minutes and done at once. */
export const ours = (): Policy => ({ everyMinutes: 5, decide: optimise })

/** Ours, with the next four hours for the last four: what is left to be gained by knowing more. */
export const oracle = (day: Pool): Policy => ({
  everyMinutes: 5,
  decide: (seen) => {
    const start = seen.vms.reduce((most, { demand: { cpu = [] } }) => Math.max(most, cpu.length), 0)
    const next = (whole: readonly (number | null)[] = []) => whole.slice(start, start + FUTURE_SAMPLES).toReversed()
    const vms = seen.vms.map((vm, v) => ({ ...vm, demand: { ...vm.demand, cpu: next(day.vms[v]?.demand.cpu) } }))
    return start < (day.vms[0]?.demand.cpu?.length ?? 0) ? optimise({ ...seen, vms }) : { moves: [] }
  },
})
const FUTURE_SAMPLES = 48

/** First fit, decreasing, by the mean of the last hour, once an hour: each host up to a tenth more than the pool's mean. */
export const repack = (): Policy => ({
  everyMinutes: 60,
  decide: ({ hosts, vms, demand: { stepSeconds } }) => {
    const samples = Math.max(1, Math.round(3600 / stepSeconds))
    const sized = vms
      .map((vm) => {
        const past = vm.demand.cpu?.slice(-samples) ?? []
        return { ...vm, cores: past.reduce<number>((sum, sample) => sum + (sample ?? 0), 0) / Math.max(1, past.length) }
      })
      .sort((one, other) => other.cores - one.cores)
    const cpus = hosts.reduce((sum, host) => sum + host.cpus, 0)
    const full = Math.min(1, sized.reduce((sum, { cores }) => sum + cores, 0) / cpus + 0.1)
    const bins = hosts.map((host) => ({ uuid: host.uuid, cores: host.cpus * full, bytes: host.memoryBytes }))
    const moves = sized.flatMap(({ uuid, host, cores, memoryFloorBytes }) => {
      const bin = bins.find((one) => one.cores >= cores && one.bytes >= memoryFloorBytes)
      if (!bin) return []
      bin.cores -= cores
      bin.bytes -= memoryFloorBytes
      return bin.uuid === host ? [] : [{ vm: uuid, to: bin.uuid }]
    })
    return { moves }
  },
})
