/** Commands over SSH whose answer is told from what a login shell prints. */
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { markCommand } from '../../src/ssh/marked-answer.js'

const shells: [what: string, before: string, after: string][] = [
  ['that is silent', '', ''],
  ['that greets', 'echo "Welcome to XCP-ng"', ''],
  ['that says goodbye', '', 'echo logout'],
  ['that prints on both outputs', 'echo hello; echo warning >&2', 'echo bye; echo bye >&2'],
  ['that prints without an end of line', 'printf hello', 'printf bye'],
]
const commands: [command: string, stdout: string, stderr: string, exitCode: number][] = [
  ["printf 'no end of line'", 'no end of line', '', 0],
  ['echo answer; echo trouble >&2; exit 44', 'answer\n', 'trouble\n', 44],
  ['cat', 'given on standard input', '', 0],
  ["printf '\\000\\377' | od -An -tx1", ' 00 ff\n', '', 0],
  ['false || exit 3', '', '', 3],
  [':', '', '', 0],
]
const cases = shells.flatMap(([what, before, after]) =>
  commands.map((row) => [row[0], what, before, after, row] as const),
)
it.each(cases)('%s, by a shell %s', (command, _what, before, after, [, stdout, stderr, exitCode]) => {
  const marked = markCommand(command)
  const script = `${before}\nsh -c "$1"\ncode=$?\n${after}\nexit $code`
  const ended = spawnSync('sh', ['-c', script, 'sh', marked.text], { input: 'given on standard input' })
  expect([
    marked.unwrap(ended.stdout)?.toString('latin1'),
    marked.unwrapEnd(ended.stderr.toString()),
    ended.status,
  ]).toEqual([stdout, stderr, exitCode])
})

it('no answer where something else ran', () => {
  expect(markCommand('cat server.pem').unwrap(Buffer.from('This account is not available.\n'))).toBeUndefined()
})
