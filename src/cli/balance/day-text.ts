/** What a replayed day was, in words and figures: the same on the terminal and on the page. */
import type { Simulation } from '../../balance/index.js'

export function describeDay({ from, to, mode, horizonMinutes, unscoredMinutes }: Simulation): string {
  const hours = Math.round((Date.parse(to) - Date.parse(from)) / 360_000) / 10
  const horizon = horizonMinutes === null ? '' : `, horizon ${horizonMinutes} minutes`
  const unscored = unscoredMinutes > 0 ? ` The first ${unscoredMinutes} minutes are not counted.` : ''
  return `${hours} hours from ${from}, mode ${mode}${horizon}.${unscored}`
}

/** What it was and what it would have been, a row a figure. */
export function figuresOf({ nothing, ours }: Simulation): readonly (readonly [string, string, string])[] {
  const row = (words: string, of: (metrics: Simulation['ours']) => string): [string, string, string] => [
    words,
    of(nothing),
    of(ours),
  ]
  return [
    row('host-minutes over 76.5 %', ({ minutesOver765 }) => `${minutesOver765}`),
    row('host-minutes over 90 %', ({ minutesOver90 }) => `${minutesOver90}`),
    row('host-minutes at 100 %', ({ minutesFull }) => `${minutesFull}`),
    row('demand for CPU not met', ({ lostShare }) => `${(100 * lostShare).toFixed(2)} %`),
    row('hosts on, mean', ({ hostsOn }) => hostsOn.toFixed(1)),
    row('moves', ({ moves }) => `${moves}`),
    row('GiB moved', ({ movedGib }) => movedGib.toFixed(1)),
    row('moves back within 3 hours', ({ returns }) => `${returns}`),
  ]
}
