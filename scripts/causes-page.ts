/** docs/causes.md, from the table that `wlb doctor` goes by. */
import { CATALOGUE, type Cause } from '../src/trust/diagnose/catalogue/catalogue.js'

export function renderCauses(): string {
  return [
    '# What makes a connection fail, or only seem fine',
    '',
    'Every cause that [`wlb doctor`](doctor.md) knows: the number it goes by, what the pool answers while it lasts, how it is seen',
    'from outside, and the command that mends it. Made from `src/trust/diagnose/catalogue` by `npm run docs`. How often the doctor',
    'names the right one first: [doctor-accuracy.md](doctor-accuracy.md).',
    '',
    '| row | code | cause | severity | the pool says | how it is seen | what mends it |',
    '|---|---|---|---|---|---|---|',
    ...CATALOGUE.map(renderCause),
    '',
  ].join('\n')
}

function renderCause({ row, code, title, severity, poolSays, seenBy, remedy }: Cause): string {
  const number = row === 0 ? '-' : String(row)
  return `| ${[number, `\`${code}\``, title, severity, poolSays, seenBy, remedy === '' ? '' : `\`${remedy}\``].map(cell).join(' | ')} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
