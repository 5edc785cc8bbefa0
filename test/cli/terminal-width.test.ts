/** Terminals that do not know their size are taken for one of 80 columns. */
import { expect, it } from 'vitest'
import { assumeSize } from '../../src/cli/terminal/terminal-width.js'

const screens: [what: string, screen: { isTTY?: boolean; columns: number; rows: number }, size: [number, number]][] = [
  ['a serial console', { isTTY: true, columns: 0, rows: 0 }, [80, 24]],
  ['a width alone', { isTTY: true, columns: 60, rows: 0 }, [60, 24]],
  ['a terminal', { isTTY: true, columns: 132, rows: 50 }, [132, 50]],
  ['a file', { columns: 0, rows: 0 }, [0, 0]],
]
it.each(screens)('%s', (_what, screen, size) => {
  assumeSize(screen)
  expect([screen.columns, screen.rows]).toEqual(size)
})
