/** Tables whose rows take long: `npm test` takes every nth row, `npm run test:long` the others. */
import { it } from 'vitest'

export function itSamples<Row extends readonly unknown[]>(
  rows: readonly Row[],
  every: number,
  title: string,
  check: (...row: Row) => Promise<void>,
): void {
  const isSampled = (_row: Row, index: number) => index % every === 0
  it.for(rows.filter(isSampled))(title, (row) => check(...row))
  it.for(rows.filter((row, index) => !isSampled(row, index)))(title, { tags: 'long' }, (row) => check(...row))
}
