/** Progress while hosts are asked: nothing in the first second, then the hosts that have not answered yet. */
import { visibleLine } from '../../base/text/printable.js'

export interface Progress {
  readonly onHost: (host: string, isDone: boolean) => void
  readonly stop: () => void
  /** Prints no progress while a person is asked something. */
  readonly aside: <T>(question: () => Promise<T>) => Promise<T>
}

const QUIET_MS = 1_000

export function startProgress(): Progress {
  const waiting = new Set<string>()
  const known = new Set<string>()
  let isTelling = false
  let isAside = false
  const tell = () => {
    if (isAside) return
    const done = known.size - waiting.size
    const names = waiting.size > 0 ? `, waiting for ${[...waiting].slice(0, 4).join(', ')}` : ''
    const line = `wlb: host ${done} of ${known.size}${names}`
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${visibleLine(line)}` : `${visibleLine(line)}\n`)
  }
  const timer = setTimeout(() => {
    isTelling = true
    tell()
  }, QUIET_MS)
  return {
    onHost(host, isDone) {
      known.add(host)
      if (isDone) waiting.delete(host)
      else waiting.add(host)
      if (isTelling) tell()
    },
    async aside(question) {
      if (isTelling && process.stderr.isTTY) process.stderr.write('\r\u001b[K')
      isAside = true
      try {
        return await question()
      } finally {
        isAside = false
      }
    },
    stop() {
      clearTimeout(timer)
      if (isTelling && process.stderr.isTTY) process.stderr.write('\r\u001b[K')
    },
  }
}
