/** What a row of `npm run quality` prints: a table with its title. */
export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly lines: readonly (readonly string[])[]
}

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`
}

/** "19 %": a share of a peer's figure. */
export function share(ours: number, peer: number): string {
  return peer === 0 ? '-' : `${Math.round((100 * ours) / peer)} %`
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
