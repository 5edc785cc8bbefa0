/** The reference page, made from the tables of commands and errors. */
import type { CommandUnknownOpts as Command } from '@commander-js/extra-typings'
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
import { wlbErrors } from '../src/wlb/errors.js'
import { x509Errors } from '../src/x509/errors.js'
import { xapiErrors } from '../src/xapi/errors.js'

/** The table of each room. */
export const ERROR_TABLES: readonly Readonly<Record<string, ErrorRow>>[] = [
  authorityErrors.rows,
  baseErrors.rows,
  cliErrors.rows,
  xeErrors.rows,
  configErrors.rows,
  identityErrors.rows,
  labErrors.rows,
  serverErrors.rows,
  sshErrors.rows,
  storeErrors.rows,
  tlsErrors.rows,
  trustErrors.rows,
  remoteErrors.rows,
  wlbErrors.rows,
  x509Errors.rows,
  xapiErrors.rows,
]

export interface DocumentedError {
  readonly code: string
  readonly message: string
  readonly facts: readonly string[]
  readonly remedy: string
}

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
    ...documentedErrors().map(
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
        `| \`${cell(option.flags)}\` | ${cell(option.description)}${option.argChoices ? `: ${option.argChoices.join(', ')}` : ''} |`,
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

/** The rows of all tables by code; a text that names a fact is shown with the fact's name in capitals. */
export function documentedErrors(): DocumentedError[] {
  const found = ERROR_TABLES.flatMap((rows) =>
    Object.entries(rows).map(([code, { message, facts, remedy }]) => {
      const names = facts.map((name) => (name.endsWith('*') ? '…' : name.replace(/\?$|[()]/g, '')))
      const printed = names.filter((name) => !facts.includes(`(${name})`))
      const shown = Object.fromEntries(names.map((name) => [name, name.toUpperCase()]))
      const text = (part: typeof message) => (typeof part === 'string' ? part : part(shown))
      return { code, message: text(message), facts: printed, remedy: text(remedy) }
    }),
  )
  const rows = new Map(found.map((error) => [`${error.code} ${error.message}`, error]))
  return [...rows.values()].sort((a, b) => (a.code + a.message < b.code + b.message ? -1 : 1))
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('`', "'")
}
