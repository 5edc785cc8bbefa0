/** The page that shows which test decides what: made from the numbers in the titles of the tests. */
import { CAUSES } from './failure-causes.js'
import { type Requirement, SECTIONS, type Side } from './requirements.js'
import { type Named, namedNumbers, withoutNumbers } from './test-titles.js'

const WHO: Readonly<Record<Side, string>> = {
  appliance: 'appliance',
  pool: 'pool',
  both: 'appliance and pool',
  later: 'later',
}

export function renderTraceability(): string {
  const named = namedNumbers()
  const all = SECTIONS.flatMap(({ requirements }) => requirements)
  const untested = all.filter(({ id }) => testsOf(id, named).length === 0)
  return [
    '# Which test decides what',
    '',
    'Made by `npm run docs` from the titles of the tests: a test names the numbers it decides, `S15` for something that is',
    'asked of the product, `row 22` for a cause of failure.',
    '',
    ...SECTIONS.flatMap(({ title, requirements }) => [
      `## ${title}`,
      '',
      '| | asked | decided by | tests |',
      '|---|---|---|---|',
      ...requirements.map(
        ({ id, statement, decidedBy }) =>
          `| ${id} | ${cell(statement)} | ${WHO[decidedBy]} | ${renderTests(testsOf(id, named))} |`,
      ),
      '',
    ]),
    '## Causes of failure',
    '',
    'Why a connection between pool and appliance fails, or only seems fine.',
    '',
    '| row | cause | tests |',
    '|---|---|---|',
    ...CAUSES.map((cause, index) => `| ${index + 1} | ${cell(cause)} | ${renderTests(testsOfRow(index + 1, named))} |`),
    '',
    '## Still open',
    '',
    ...renderOpen(all, untested),
    '',
    `Causes that no test names: ${untestedRows(named).join(', ') || 'none'}.`,
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

export function testsOf(id: string, named: readonly Named[]): readonly Named[] {
  return named.filter(({ number }) => number === id)
}

function testsOfRow(row: number, named: readonly Named[]): readonly Named[] {
  return testsOf(`row ${row}`, named)
}

function untestedRows(named: readonly Named[]): number[] {
  return CAUSES.map((_, index) => index + 1).filter((row) => testsOfRow(row, named).length === 0)
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
function renderTests(tests: readonly Named[]): string {
  const files = [...new Set(tests.map(({ file }) => file))]
  return files
    .map((file) => {
      const titles = tests.flatMap((test) => (test.file === file ? [cell(withoutNumbers(test.title))] : []))
      return `\`${file}\`: ${[...new Set(titles)].join('; ')}`
    })
    .join('<br>')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;')
}
