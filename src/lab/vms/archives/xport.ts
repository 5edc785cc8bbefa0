/** The text of `/rrd_updates`: rrdtool's "xport" in XML, and the same in JSON (rrd_updates.ml, rrd_utils.ml `f_to_s`). */
import { escapeXml } from '../../../base/text/xml.js'
import type { Updates } from './updates.js'

export function renderXml({ start, step, end, legend, rows }: Updates): string {
  const entries = legend.map((entry) => `<entry>${escapeXml(entry)}</entry>`).join('')
  const meta = [
    `<start>${start}</start><step>${step}</step><end>${end}</end>`,
    `<rows>${rows.length}</rows><columns>${legend.length}</columns>`,
    element('legend', entries),
  ].join('')
  const lines = rows.map(({ time, values }) => {
    return `<row><t>${time}</t>${values.map((value) => `<v>${formatValue(value)}</v>`).join('')}</row>`
  })
  return `${XML_HEAD}<xport><meta>${meta}</meta>${element('data', lines.join(''))}</xport>`
}

export function renderJson({ start, step, end, legend, rows }: Updates): string {
  const meta = `{"start":${start},"step":${step},"end":${end},"rows":${rows.length},"columns":${legend.length},"legend":${JSON.stringify(legend)}}`
  const lines = rows.map(({ time, values }) => {
    return `{"t":${time},"values":[${values.map((value) => `"${formatValue(value)}"`).join(',')}]}`
  })
  return `{"meta":${meta},"data":[${lines.join(',')}]}`
}

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'

/** An element without content is written in the short form. */
export function element(name: string, content: string): string {
  return content === '' ? `<${name}/>` : `<${name}>${content}</${name}>`
}

/** C's `%.15g`, with the names that clients know for what is no number. */
export function formatValue(value: number): string {
  if (value === 0) return '0.0'
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
  const size = Math.abs(value)
  if (size >= 1e-4 && size < 1e15) {
    const text = String(value)
    // Sixteen characters hold no more than fifteen digits and a point.
    return text.length <= 16 ? text : String(Number(value.toPrecision(15)))
  }
  return Number(value.toPrecision(15))
    .toExponential()
    .replace(/e([+-])(\d)$/, 'e$10$2')
}
