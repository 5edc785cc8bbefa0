/** The page of a replayed day: one file, nothing loaded from elsewhere, readable in the dark, on paper, and without colours. */
import type { Pool, Simulation } from '../../balance/index.js'
import { writeOutput } from '../../base/files/output-file.js'
import { escapeHtml } from '../../base/text/html.js'
import { describeDay, figuresOf } from './day-text.js'
import { BANDS, bandOf } from './heat-map.js'
import { hostName, vmName } from './plan.js'

const MODE = 0o644

export async function writeDayPage(path: string, pool: Pool, simulation: Simulation): Promise<void> {
  await writeOutput(path, renderDayPage(pool, simulation), MODE)
}

function renderDayPage(pool: Pool, simulation: Simulation): string {
  const name = escapeHtml(pool.pool.name ?? pool.pool.uuid)
  return `${[
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>wlb balance simulate: ${name}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${name}</h1><p>${escapeHtml(describeDay(simulation))}</p>`,
    '<table><tr><th></th><th>as it was</th><th>with advice</th></tr>',
    ...figuresOf(simulation).map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`),
    '</table>',
    '<h2>Hosts over 76.5 %</h2>',
    renderLines(simulation, (share) => share !== null && share > 0.765),
    '<h2>Hosts on</h2>',
    renderLines(simulation, (share) => share !== null),
    '<h2>How full the hosts were</h2>',
    renderMap(pool, simulation, 'nothing'),
    '<h2>How full they would have been</h2>',
    renderMap(pool, simulation, 'ours'),
    `<p class="legend">${BANDS.map(({ words }, band) => `<span class="b${band}">${words}</span>`).join(' ')} <span>blank: off</span></p>`,
    ...renderMoves(pool, simulation),
    '</main></body></html>',
  ].join('\n')}\n`
}

const WIDTH = 960
const LABEL_WIDTH = 160
const CHART_HEIGHT = 140
const ROW_HEIGHT = 14
const AXIS_HEIGHT = 18

/** The number of hosts of which `counts` is true, as it was and with advice. */
function renderLines(simulation: Simulation, counts: (share: number | null) => boolean): string {
  const { hosts } = simulation
  const steps = hosts[0]?.ours.length ?? 0
  const numbers = (of: 'nothing' | 'ours') =>
    Array.from({ length: steps }, (_, step) => hosts.filter((day) => counts(day[of][step] ?? null)).length)
  const lines = { nothing: numbers('nothing'), ours: numbers('ours') }
  const top = Math.max(1, ...lines.nothing, ...lines.ours)
  const x = (step: number) => (LABEL_WIDTH + (step * (WIDTH - LABEL_WIDTH)) / steps).toFixed(1)
  const y = (value: number) => (4 + (CHART_HEIGHT - 8) * (1 - value / top)).toFixed(1)
  const path = (values: readonly number[]) => {
    const changes = values.flatMap((value, step) =>
      step > 0 && value !== values[step - 1] ? [`H${x(step)}V${y(value)}`] : [],
    )
    return `M${x(0)} ${y(values[0] ?? 0)}${changes.join('')}H${x(steps)}`
  }
  return [
    `<svg viewBox="0 0 ${WIDTH} ${CHART_HEIGHT + AXIS_HEIGHT}" role="img" aria-label="a line as it was, dashed, and one with advice">`,
    `<text x="${LABEL_WIDTH - 6}" y="14" class="end">${top}</text><text x="${LABEL_WIDTH - 6}" y="${CHART_HEIGHT}" class="end">0</text>`,
    `<text x="0" y="${CHART_HEIGHT / 2 - 8}" class="was">- - as it was</text><text x="0" y="${CHART_HEIGHT / 2 + 12}" class="ours">— with advice</text>`,
    `<path class="was" d="${path(lines.nothing)}"/><path class="ours" d="${path(lines.ours)}"/>`,
    renderAxis(simulation, CHART_HEIGHT),
    '</svg>',
  ].join('')
}

/** A row a host; neighbours of one band are one rectangle. */
function renderMap(pool: Pool, simulation: Simulation, of: 'nothing' | 'ours'): string {
  const { hosts } = simulation
  const height = hosts.length * ROW_HEIGHT
  const rows = hosts.map((day, h) => {
    const name = hostName(pool, day.host)
    const y = h * ROW_HEIGHT
    return `<g><title>${escapeHtml(name)}</title><text x="${LABEL_WIDTH - 6}" y="${y + 11}" class="end">${escapeHtml(cut(name))}</text>${renderRow(day[of], y)}</g>`
  })
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height + AXIS_HEIGHT}" role="img" aria-label="a row a host, in four bands">`,
    ...rows,
    renderAxis(simulation, height),
    '</svg>',
  ].join('')
}

function renderRow(shares: readonly (number | null)[], y: number): string {
  const bands = shares.map(bandOf)
  const scale = (WIDTH - LABEL_WIDTH) / Math.max(1, shares.length)
  let rectangles = ''
  for (let start = 0, end = 1; start < bands.length; start = end, end++) {
    while (end < bands.length && bands[end] === bands[start]) end++
    if (bands[start] === -1) continue
    const x = LABEL_WIDTH + start * scale
    rectangles += `<rect class="b${bands[start]}" x="${x.toFixed(1)}" y="${y}" width="${((end - start) * scale).toFixed(1)}" height="${ROW_HEIGHT - 2}"/>`
  }
  return rectangles
}

/** Longer names would run into the map; the tooltip has them whole. */
function cut(name: string): string {
  return name.length > 24 ? `${name.slice(0, 23)}…` : name
}

/** Hours that 3 divides, more of them in longer days. */
function renderAxis({ from, to }: Simulation, y: number): string {
  const [start, end] = [Date.parse(from), Date.parse(to)]
  const hours = Math.max(1, Math.ceil((end - start) / 3_600_000 / 8))
  const step = hours * 3_600_000
  let marks = ''
  for (let time = Math.ceil(start / step) * step; time < end; time += step) {
    const x = LABEL_WIDTH + ((WIDTH - LABEL_WIDTH) * (time - start)) / (end - start)
    marks += `<text x="${x.toFixed(1)}" y="${y + 13}">${new Date(time).toISOString().slice(11, 16)}</text>`
  }
  return marks
}

function renderMoves(pool: Pool, { moves }: Simulation): string[] {
  if (moves.length === 0) return []
  const rows = moves.map(({ at, vm, from, to }) => [at, vmName(pool, vm), hostName(pool, from), hostName(pool, to)])
  return [
    `<details><summary>${moves.length} moves</summary><table><tr><th>at</th><th>VM</th><th>from</th><th>to</th></tr>`,
    ...rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`),
    '</table></details>',
  ]
}

const STYLE = `
:root { color-scheme: light dark; --b0: #cfe8d5; --b1: #f4d35e; --b2: #ee7b30; --b3: #a4133c; --line: #8886; --ours: #1d5fa8 }
@media (prefers-color-scheme: dark) { :root { --b0: #24452e; --b1: #a68a1f; --b2: #d9641a; --b3: #ff5d7d; --ours: #7ab6f5 } }
body { margin: 0; font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif }
main { max-width: 62rem; margin: 0 auto; padding: 1rem }
h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem }
table { border-collapse: collapse; font-size: .9rem }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--line); text-align: left; overflow-wrap: anywhere }
svg { width: 100%; height: auto; font-size: 11px }
svg text { fill: currentColor }
svg .end { text-anchor: end }
svg path { fill: none; stroke-width: 1.5 }
path.was { stroke: currentColor; stroke-dasharray: 4 3; opacity: .7 }
path.ours { stroke: var(--ours) }
svg text.ours { fill: var(--ours) }
.b0 { fill: var(--b0) } .b1 { fill: var(--b1) } .b2 { fill: var(--b2) } .b3 { fill: var(--b3) }
.legend span { padding: 0 .5rem; border-left: 1rem solid transparent }
.legend .b0 { border-color: var(--b0) } .legend .b1 { border-color: var(--b1) } .legend .b2 { border-color: var(--b2) } .legend .b3 { border-color: var(--b3) }
`
