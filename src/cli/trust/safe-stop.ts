/**
 * Ctrl-C while a pool is looked at and changed: heard at the next point where every host that verified still does. Before
 * the first step nobody is asked any more; afterwards the journal knows where to go on. A second one ends it at once.
 */
import { isSure } from '../cert/sure.js'

export interface SafeStop {
  readonly signal: AbortSignal
  /** Asks whether it is meant; from a yes on, what is done is worth going on with. */
  confirm(question: string, command: string, yes: boolean): Promise<boolean>
}

/** `goOn` is the command that goes on with what was stopped. */
export function hearStop(goOn: string): SafeStop {
  const controller = new AbortController()
  const { signal } = controller
  let isChanging = false
  process.once('SIGINT', () => {
    const where = isChanging ? 'at the next safe point' : 'before anything is changed'
    const then = isChanging ? `; to go on:  ${goOn}` : ''
    process.stderr.write(`\nwlb: stopping ${where} (again: at once)${then}\n`)
    controller.abort()
  })
  return {
    signal,
    async confirm(question, command, yes) {
      isChanging = await isSure(question, command, yes, signal)
      return isChanging
    },
  }
}
