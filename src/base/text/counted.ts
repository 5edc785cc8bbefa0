/** A number with its noun: most pools have several hosts, and some have one. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
