/** What a row of `npm run quality` prints: a table with its title. */
export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly lines: readonly (readonly string[])[]
}

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`
}
