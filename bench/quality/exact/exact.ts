/** Row `exact`: on small pools, the share of the possible saving that a plan brings about. */
import { rounds } from '../../rounds.js'
import { percent, type Table } from '../table.js'
import { compareWithOptimum } from './optimum.js'
import { loadSolver } from './program.js'
import { makeSmallPool } from './small-pool.js'

const SIZES = [
  { hosts: 4, vms: 60, samples: 6 },
  { hosts: 4, vms: 40, samples: 4 },
  { hosts: 8, vms: 120, samples: 6 },
]
const LOADS = [0.6, 0.7]
const SEEDS = 4
/** How exact, and when the solver gives up, by the clock. */
const LIMITS = { gap: 1e-4, seconds: 300 }

export async function exact(): Promise<Table> {
  const solver = await loadSolver()
  const shares: number[] = []
  const lines: string[][] = []
  for (const size of SIZES.slice(0, rounds(SIZES.length))) {
    for (const load of LOADS.slice(0, rounds(LOADS.length))) {
      for (let seed = 1; seed <= rounds(SEEDS); seed++) {
        const found = compareWithOptimum(solver, makeSmallPool({ ...size, load, seed }), LIMITS)
        // a bound below the optimum means that the solver ran out of time: then what is left open counts against us
        const best = Math.min(found.optimum, found.bound)
        const isProved = found.optimum - found.bound <= 2 * LIMITS.gap * found.optimum
        const share = (found.start - found.ours) / (found.start - best)
        shares.push(share)
        lines.push([
          `${size.hosts} x ${size.vms} x ${size.samples}, load ${load}, seed ${seed}${isProved ? '' : ', not proved'}`,
          ...[found.start, found.ours, best].map((cost) => cost.toFixed(1)),
          `${found.oursMoves} / ${found.optimumMoves}`,
          percent(share, 2),
        ])
      }
    }
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  lines.push(['mean (goal: at least 99 %)', '', '', '', '', percent(mean, 2)])
  lines.push(['worst (goal: at least 97 %)', '', '', '', '', percent(Math.min(...shares), 2)])
  return {
    title: 'Against the optimum that HiGHS proves: congested host-minutes over the horizon and the cost of the moves',
    head: ['hosts x VMs x scenarios', 'start', 'ours', 'optimum', 'moves', 'share of the saving'],
    lines,
  }
}
