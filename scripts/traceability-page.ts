/** The page that shows which test decides what: made from the table beside the tests. */
import { TESTS } from '../test/requirements.js'
import { CAUSES } from './failure-causes.js'
import { type Requirement, SECTIONS, type Side } from './requirements.js'

const WHO: Readonly<Record<Side, string>> = {
  appliance: 'appliance',
  pool: 'pool',
  both: 'appliance and pool',
  later: 'later',
}

export function renderTraceability(): string {
  const all = SECTIONS.flatMap(({ requirements }) => requirements)
  const untested = all.filter(({ id }) => !(id in TESTS))
  return [
    '# Which test decides what',
    '',
    'Made by `npm run docs` from test/requirements.ts, which names the tests that decide a number: `S15` is something that is',
    'asked of the product, `row 22` a cause of failure.',
    '',
    ...SECTIONS.flatMap(({ title, requirements }) => [
      `## ${title}`,
      '',
      '| | asked | decided by | tests |',
      '|---|---|---|---|',
      ...requirements.map(
        ({ id, statement, decidedBy }) => `| ${id} | ${cell(statement)} | ${WHO[decidedBy]} | ${renderTests(id)} |`,
      ),
      '',
    ]),
    '## Causes of failure',
    '',
    'Why a connection between pool and appliance fails, or only seems fine.',
    '',
    '| row | cause | tests |',
    '|---|---|---|',
    ...CAUSES.map((cause, index) => `| ${index + 1} | ${cell(cause)} | ${renderTests(`row ${index + 1}`)} |`),
    '',
    '## Still open',
    '',
    ...renderOpen(all, untested),
    '',
    `Causes that no test names: ${untestedRows().join(', ') || 'none'}.`,
    '',
    '## Decided elsewhere, or later',
    '',
    'No test names these, and the appliance does not decide them.',
    '',
    ...untested
      .filter((requirement) => !isDecidedHere(requirement))
      .map(({ id, statement, decidedBy }) => `- ${id} (${WHO[decidedBy]}): ${statement}`),
    '',
  ].join('\n')
}

/** Whether the appliance has a say in it: then a test must name it, or UNTESTED. */
export function isDecidedHere({ decidedBy }: Requirement): boolean {
  return decidedBy === 'appliance' || decidedBy === 'both'
}

function untestedRows(): number[] {
  return CAUSES.map((_, index) => index + 1).filter((row) => !(`row ${row}` in TESTS))
}

function renderOpen(all: readonly Requirement[], untested: readonly Requirement[]): string[] {
  const lines = all.flatMap((requirement) => {
    const { id, statement, missing } = requirement
    if (isDecidedHere(requirement) && untested.includes(requirement)) return [`- ${id}, no test: ${statement}`]
    return missing === undefined ? [] : [`- ${id}, in part: ${missing}`]
  })
  return lines.length > 0 ? lines : ['Nothing.']
}

/** A line a file, its titles one after the other. */
function renderTests(number: string): string {
  return Object.entries(TESTS[number] ?? {})
    .map(([file, titles]) => `\`test/${file}\`: ${titles.map(cell).join('; ')}`)
    .join('<br>')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;')
}
