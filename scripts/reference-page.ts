/** The reference page: what the program's own tables and the source's own errors say, and nothing written by hand. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { CommandUnknownOpts as Command } from '@commander-js/extra-typings'
import ts from 'typescript'
import { authorityErrors } from '../src/authority/errors.js'
import type { ErrorRow } from '../src/base/error.js'
import { baseErrors } from '../src/base/errors.js'
import { commandLine } from '../src/cli/command-line.js'
import { cliErrors } from '../src/cli/errors.js'
import { xeErrors } from '../src/cli/xe/errors.js'
import { configErrors } from '../src/config/errors.js'
import { identityErrors } from '../src/identity/errors.js'
import { labErrors } from '../src/lab/errors.js'
import { serverErrors } from '../src/server/errors.js'
import { sshErrors } from '../src/ssh/errors.js'
import { storeErrors } from '../src/store/errors.js'
import { tlsErrors } from '../src/tls/errors.js'
import { trustErrors } from '../src/trust/errors.js'
import { remoteErrors } from '../src/trust/remote/errors.js'
import { x509Errors } from '../src/x509/errors.js'
import { xapiErrors } from '../src/xapi/errors.js'

/** The table of each room. */
const TABLES: readonly (readonly [file: string, rows: Readonly<Record<string, ErrorRow>>])[] = [
  ['src/authority/errors.ts', authorityErrors.rows],
  ['src/base/errors.ts', baseErrors.rows],
  ['src/cli/errors.ts', cliErrors.rows],
  ['src/cli/xe/errors.ts', xeErrors.rows],
  ['src/config/errors.ts', configErrors.rows],
  ['src/identity/errors.ts', identityErrors.rows],
  ['src/lab/errors.ts', labErrors.rows],
  ['src/server/errors.ts', serverErrors.rows],
  ['src/ssh/errors.ts', sshErrors.rows],
  ['src/store/errors.ts', storeErrors.rows],
  ['src/tls/errors.ts', tlsErrors.rows],
  ['src/trust/errors.ts', trustErrors.rows],
  ['src/trust/remote/errors.ts', remoteErrors.rows],
  ['src/x509/errors.ts', x509Errors.rows],
  ['src/xapi/errors.ts', xapiErrors.rows],
]
const root = join(import.meta.dirname, '..')

export interface DocumentedError {
  readonly code: string
  readonly message: string
  readonly facts: readonly string[]
  readonly remedy: string
  readonly file: string
}

/** Files that make errors whose code is not written out there: they only pass on what another file has named. */
export const unnamed: string[] = []

export function renderReference(): string {
  return [
    '# Reference',
    '',
    'Made from the code by `npm run docs`.',
    '',
    '## Commands',
    '',
    ...leaves(commandLine()).flatMap(renderCommand),
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    '| 0 | done, already so, or healthy |',
    '| 1 | the answer is no, or it failed |',
    '| 2 | the call was wrong, or it could not be told |',
    '| 130 | interrupted |',
    '',
    '`xe` keeps the exit codes of the real one: 0, 1, or what the server says.',
    '',
    '## Errors',
    '',
    'With `--json` an error is `{"error":{"code","message","facts","remedy"}}` on standard output.',
    '',
    '| code | message | facts | try |',
    '|---|---|---|---|',
    ...sourceErrors().map(
      ({ code, message, facts, remedy }) =>
        `| \`${code}\` | ${cell(message)} | ${facts.join(', ')} | ${remedy ? `\`${cell(remedy)}\`` : ''} |`,
    ),
    '',
  ].join('\n')
}

/** Every command that does something and is not hidden, with its words from the root down. */
export function leaves(
  command: Command,
  words: readonly string[] = [],
): { words: readonly string[]; command: Command }[] {
  const path = [...words, command.name()]
  if (command.commands.length === 0) return [{ words: path, command }]
  const visible = command.createHelp().visibleCommands(command)
  return command.commands.filter((child) => visible.includes(child)).flatMap((child) => leaves(child, path))
}

function renderCommand({ words, command }: { words: readonly string[]; command: Command }): string[] {
  const options = command.options
    .filter((option) => !option.hidden)
    .map(
      (option) =>
        `| \`${option.flags}\` | ${cell(option.description)}${option.argChoices ? `: ${option.argChoices.join(', ')}` : ''} |`,
    )
  const operands = command.registeredArguments
    .map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`
      return argument.required ? ` <${name}>` : ` [${name}]`
    })
    .join('')
  return [
    `### ${words.join(' ')}${operands}`,
    '',
    `${command.description()}`,
    '',
    '| option | meaning |',
    '|---|---|',
    ...options,
    '',
  ]
}

/** What the rooms' tables say; a text that names a fact is shown with the fact's name in capitals. */
function tableErrors(): DocumentedError[] {
  return TABLES.flatMap(([file, rows]) =>
    Object.entries(rows).map(([code, { message, facts, remedy }]) => {
      const names = facts.map((name) => (name.endsWith('*') ? '…' : name.replace(/\?$|[()]/g, '')))
      const printed = names.filter((name) => !facts.includes(`(${name})`))
      const shown = Object.fromEntries(names.map((name) => [name, name.toUpperCase()]))
      const text = (part: typeof message) => (typeof part === 'string' ? part : part(shown))
      return { code, message: text(message), facts: printed, remedy: text(remedy), file }
    }),
  )
}

/** Finds every `new WlbError(code, message, facts, remedy)` in src/; a template's holes are shown as `…`. */
export function sourceErrors(): DocumentedError[] {
  const found: DocumentedError[] = tableErrors()
  for (const path of sourceFiles()) {
    const file = join(root, path)
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
    const visit = (node: ts.Node): void => {
      if (ts.isNewExpression(node) && node.expression.getText() === 'WlbError') {
        const [code, message, facts, remedy] = node.arguments ?? []
        if (code && !ts.isStringLiteralLike(code)) unnamed.push(relative(root, file))
        if (code && message && ts.isStringLiteralLike(code)) {
          found.push({
            code: code.text,
            message: textOf(message),
            facts: factNames(facts),
            remedy: remedy ? textOf(remedy) : '',
            file: relative(root, file),
          })
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  const rows = new Map(found.map((error) => [`${error.code} ${error.message}`, error]))
  return [...rows.values()].sort((a, b) => (a.code + a.message < b.code + b.message ? -1 : 1))
}

function sourceFiles(): string[] {
  const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  return paths
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join('src', path))
    .sort()
}

function textOf(node: ts.Node): string {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join('')
  return '…'
}

function factNames(node: ts.Node | undefined): string[] {
  if (!node || !ts.isObjectLiteralExpression(node)) return ['…']
  return node.properties.map((property) => (property.name ? property.name.getText() : '…'))
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('`', "'")
}
