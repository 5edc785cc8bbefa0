/** Progress of a replay, which is one long calculation: the part of the day that is over, after a second on a terminal and every ten elsewhere. */

export interface DayProgress {
  readonly tell: (share: number) => void
  readonly stop: () => void
}

const QUIET_MS = 1_000
const PIPE_EVERY_MS = 10_000

export function startDayProgress(): DayProgress {
  const { isTTY } = process.stderr
  let next = performance.now() + (isTTY ? QUIET_MS : PIPE_EVERY_MS)
  let isShown = false
  return {
    tell(share) {
      if (performance.now() < next) return
      next = performance.now() + (isTTY ? 100 : PIPE_EVERY_MS)
      isShown = true
      const line = `wlb: ${Math.floor(100 * share)} % of the day replayed`
      process.stderr.write(isTTY ? `\r\u001b[K${line}` : `${line}\n`)
    },
    stop() {
      if (isShown && isTTY) process.stderr.write('\r\u001b[K')
    },
  }
}
