/** The text of `/host_rrd` and `/vm_rrd`: a whole database in the form of rrdtool's dump, or the same in JSON (rrd.ml). */
import { type Archive, SAMPLE_SECONDS } from './archives.js'
import type { RoundRobin, Source } from './round-robin.js'
import { element, formatValue, XML_HEAD } from './xport.js'

export interface DumpTime {
  readonly lastSample: number
  readonly clockAhead: number
}

/** Longer gaps between two samples make what is between them unknown. */
const HEARTBEAT_SECONDS = 300
const VERSION = '0003'

/** A type and not an interface, so that it is a record of texts. */
type DumpedSource = {
  readonly name: string
  readonly type: Source['type']
  readonly minimal_heartbeat: string
  readonly min: string
  readonly max: string
  readonly last_ds: string
  readonly value: string
  readonly unknown_sec: string
}

interface DumpedArchive {
  readonly cf: string
  readonly pdp_per_row: string
  readonly xff: string
  readonly prepared: readonly Prepared[]
  /** The oldest first. */
  readonly rows: readonly (readonly string[])[]
}

type Prepared = {
  readonly primary_value: string
  readonly secondary_value: string
  readonly value: string
  readonly unknown_datapoints: string
}

export function dumpXml(database: RoundRobin, time: DumpTime): string {
  const sources = dumpSources(database, time).map((source) => element('ds', elements(source)))
  const archives = dumpArchives(database, time).map(({ cf, pdp_per_row, xff, prepared, rows }) => {
    const lines = rows.map((row) => `<row>${row.map((value) => `<v>${value}</v>`).join('')}</row>`).join('')
    return element(
      'rra',
      [
        elements({ cf, pdp_per_row }),
        element('params', element('xff', xff)),
        element('cdp_prep', prepared.map((one) => element('ds', elements(one))).join('')),
        element('database', lines),
      ].join(''),
    )
  })
  const head = elements({ version: VERSION, step: String(SAMPLE_SECONDS), lastupdate: String(time.lastSample) })
  return `${XML_HEAD}<rrd>${head}${sources.join('')}${archives.join('')}</rrd>`
}

export function dumpJson(database: RoundRobin, time: DumpTime): string {
  return JSON.stringify({
    version: VERSION,
    step: String(SAMPLE_SECONDS),
    lastupdate: formatValue(time.lastSample),
    ds: dumpSources(database, time),
    rra: dumpArchives(database, time).map(({ cf, pdp_per_row, xff, prepared, rows }) => {
      return { cf, pdp_per_row, params: { xff }, cdp_prep: { ds: prepared }, database: rows }
    }),
  })
}

function dumpSources({ sources, row }: RoundRobin, { lastSample, clockAhead }: DumpTime): DumpedSource[] {
  const last = row({ start: lastSample - clockAhead - SAMPLE_SECONDS, step: SAMPLE_SECONDS }, 'AVERAGE')
  return sources.map(({ name, type, min, max }, index) => ({
    name,
    type,
    minimal_heartbeat: formatValue(HEARTBEAT_SECONDS),
    min: formatValue(min),
    max: formatValue(max),
    last_ds: type === 'GAUGE' ? formatValue(last[index] ?? Number.NaN) : '0.0',
    value: '0.0',
    unknown_sec: '0',
  }))
}

/** Archives of one step are filled row by row together: means and extremes come from the same parts. */
function dumpArchives(database: RoundRobin, time: DumpTime): DumpedArchive[] {
  const { lastSample, clockAhead } = time
  return [...new Set(database.archives.map(({ step }) => step))].flatMap((step) => {
    const end = lastSample - (lastSample % step)
    const together = database.archives.filter((archive) => archive.step === step)
    const filled = together.map((archive) => ({ archive, rows: [] as string[][] }))
    const [{ rows: count } = { rows: 0 }] = together
    for (let age = count; age > 0; age--) {
      const window = { start: end - age * step - clockAhead, step }
      for (const { archive, rows } of filled) rows.push(database.row(window, archive.cf).map(formatValue))
    }
    return filled.map(({ archive, rows }) => dumpArchive(database, archive, rows, lastSample - end))
  })
}

function dumpArchive(
  { sources }: RoundRobin,
  { cf, step, mayBeUnknown }: Archive,
  rows: DumpedArchive['rows'],
  begunSeconds: number,
): DumpedArchive {
  const begun = {
    primary_value: '0.0',
    secondary_value: '0.0',
    value: '0.0',
    unknown_datapoints: String(begunSeconds / SAMPLE_SECONDS),
  }
  return {
    cf,
    pdp_per_row: String(step / SAMPLE_SECONDS),
    xff: formatValue(mayBeUnknown),
    prepared: sources.map(() => begun),
    rows,
  }
}

function elements(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => element(name, value))
    .join('')
}
