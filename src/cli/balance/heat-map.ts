/** Hosts over a day as a map: a row a host, a column a span of time, a character and a colour for how full it was. */
import type { Coloured } from '../terminal/print.js'

/** A value a step; null while the host was off. */
export interface MapRow {
  readonly name: string
  readonly shares: readonly (number | null)[]
}
export interface Span {
  readonly from: Date
  readonly stepMinutes: number
}

export interface Band {
  /** Up to this share, exclusive. */
  readonly below: number
  readonly character: string
  readonly words: string
  readonly colour: 'green' | 'yellow' | 'magenta' | 'red'
}

/** The protocol's thresholds. */
export const BANDS: readonly Band[] = [
  { below: 0.5, character: '.', words: 'under 50 %', colour: 'green' },
  { below: 0.765, character: '-', words: '50 to 76.5 %', colour: 'yellow' },
  { below: 0.9, character: '+', words: '76.5 to 90 %', colour: 'magenta' },
  { below: Number.POSITIVE_INFINITY, character: '#', words: '90 % and more', colour: 'red' },
]

/** An index of BANDS; -1 for a host that was off. */
export function bandOf(share: number | null): number {
  return share === null ? -1 : BANDS.findIndex(({ below }) => share < below)
}

const LEAST_WIDTH = 60
const MOST_WIDTH = 200
const GAP = '  '

/** Lines of at most `columns` characters. Of a span of several steps the fullest counts. */
export function heatMap(rows: readonly MapRow[], { from, stepMinutes }: Span, columns: number): readonly Coloured[] {
  const width = Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, columns))
  const labelWidth = Math.min(
    Math.floor(width / 4),
    rows.reduce((most, { name }) => Math.max(most, name.length), 0),
  )
  const steps = rows.reduce((most, { shares }) => Math.max(most, shares.length), 0)
  const cells = Math.min(steps, width - labelWidth - GAP.length)
  const start = (cell: number) => Math.floor((cell * steps) / cells)
  const lines = rows.map(({ name, shares }): Coloured => {
    const fullest = Array.from({ length: cells }, (_, cell) => most(shares.slice(start(cell), start(cell + 1))))
    return [[`${shorten(name, labelWidth)}${GAP}`, undefined], ...runsOf(fullest)]
  })
  const times = Array.from(
    { length: cells },
    (_, cell) => new Date(from.getTime() + start(cell) * stepMinutes * 60_000),
  )
  return [...lines, [[`${' '.repeat(labelWidth)}${GAP}${axis(times)}`, undefined]]]
}

/** What the characters mean, in as many lines as it takes. */
export function legend(columns: number): readonly Coloured[] {
  const entries = [
    ...BANDS.map(
      ({ character, words, colour }): Coloured => [
        [character, colour],
        [` ${words}   `, undefined],
      ],
    ),
    [['blank: off', undefined]] satisfies Coloured,
  ]
  const width = Math.max(LEAST_WIDTH, columns)
  const lines: Coloured[] = []
  for (const entry of entries) {
    const last = lines.at(-1)
    if (last && lengthOf(last) + lengthOf(entry) <= width) lines[lines.length - 1] = [...last, ...entry]
    else lines.push(entry)
  }
  return lines
}

function lengthOf(line: Coloured): number {
  return line.reduce((sum, [text]) => sum + text.length, 0)
}

function most(shares: readonly (number | null)[]): number | null {
  return shares.reduce((more, share) => (share === null || (more !== null && more >= share) ? more : share), null)
}

/** Neighbours of one colour are one piece. */
function runsOf(shares: readonly (number | null)[]): Coloured {
  const runs: [text: string, colour: Band['colour'] | undefined][] = []
  for (const share of shares) {
    const { character = ' ', colour } = BANDS[bandOf(share)] ?? {}
    const last = runs.at(-1)
    if (last && last[1] === colour) last[0] += character
    else runs.push([character, colour])
  }
  return runs
}

/** A long name is marked where it ends; the page and the document have it whole. */
function shorten(name: string, width: number): string {
  return name.length > width ? `${name.slice(0, width - 1)}~` : name.padEnd(width)
}

/** "00:00" below each cell where a new hour, or a third, sixth or twelfth one, begins, as far apart as they fit. */
function axis(times: readonly Date[]): string {
  const hoursOf = (time: Date) => Math.floor(time.getTime() / 3_600_000)
  for (const every of [1, 3, 6, 12, 24]) {
    const starts = times.flatMap((time, cell) => {
      const before = times[cell - 1]
      const isNew = before === undefined ? time.getTime() % 3_600_000 === 0 : hoursOf(before) !== hoursOf(time)
      return isNew && hoursOf(time) % every === 0 ? [cell] : []
    })
    const fit = starts.every((cell, at) => at === 0 || cell - (starts[at - 1] ?? 0) >= 7)
    if (fit) return drawAxis(times, starts)
  }
  return drawAxis(times, [0])
}

function drawAxis(times: readonly Date[], starts: readonly number[]): string {
  return starts.reduce((line, cell) => {
    const hour = `${times[cell]?.toISOString().slice(11, 13)}:00`
    return cell + hour.length > times.length ? line : `${line.padEnd(cell)}${hour}`
  }, '')
}
