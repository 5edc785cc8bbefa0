/** Failures of work that is done again and again: each is reported once, until it is over or becomes another one. */
import { WlbError } from './error.js'
import { systemCode } from './files/file-failure.js'

export interface RepeatedFailure {
  failed(error: unknown): void
  over(): void
}

export function onceUntilOver(report: (error: unknown) => void): RepeatedFailure {
  let reported: string | undefined
  return {
    failed: (error) => {
      const kind = kindOf(error)
      if (kind === reported) return
      reported = kind
      report(error)
    },
    over: () => {
      reported = undefined
    },
  }
}

/** The words of a system error may hold the name of a temporary file, which is another one each time. */
function kindOf(error: unknown): string {
  if (error instanceof WlbError) return `${error.code} ${JSON.stringify(error.facts)}`
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error))
}
