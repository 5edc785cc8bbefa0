/**
 * `wlb __complete --shell S -- WORDS...`: what the completion scripts call at every Tab. It loads only what the
 * question needs, and prints nothing when something fails: a message would break the line that is being typed.
 */

import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Answer, NOTHING } from './answer.js'
import { render } from './render.js'
import { type Request, readTyped, SHELLS } from './typed-words.js'

/** Prints the candidates and ends the process. */
export async function complete(args: readonly string[]): Promise<void> {
  process.title = 'wlb' // hides the arguments, which may hold a password, from process lists
  const text = await answer(args).catch(() => '')
  process.stdout.write(text, () => process.exit(0))
}

async function answer(args: readonly string[]): Promise<string> {
  const request = readRequest(args)
  if (!request) return ''
  const typed = readTyped(request)
  const [program = '', ...words] = typed.words
  return render(request, typed, await answerFor(basename(program), words))
}

async function answerFor(program: string, words: readonly string[]): Promise<Answer> {
  if (words.length === 0) return NOTHING
  if (program === 'xe') return completeOnXe(['xe'], process.env, words)
  if (program !== 'wlb') return NOTHING
  const [{ commandLine }, { completeWlb }, { folderOf, liveValues }] = await Promise.all([
    import('../command-line.js'),
    import('./wlb-words.js'),
    import('./live-values.js'),
  ])
  return completeWlb(commandLine(), words, liveValues, async (host, inner, { root }) => {
    const [command, ...rest] = inner[0] === '--' ? inner.slice(1) : inner
    if (rest.length === 0) return { kind: 'words', candidates: 'xe'.startsWith(command ?? '') ? [{ word: 'xe' }] : [] }
    if (command !== 'xe') return { kind: 'files', head: '', only: 'any' }
    const { hostRoot } = await import('../../lab/launcher/lab-file.js')
    const ours = join(dirname(realpathSync(process.argv[1] ?? '.')), 'xe.js')
    const env = { ...process.env, XE_ROOT: hostRoot(folderOf(root), host) }
    return completeOnXe([process.execPath, ours], env, rest)
  })
}

async function completeOnXe(
  command: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  words: readonly string[],
): Promise<Answer> {
  const [{ completeXe }, { createAskXe }] = await Promise.all([import('./xe-words.js'), import('./ask-xe.js')])
  return completeXe(words, (client) => createAskXe({ command, env }, client))
}

/** Undefined when the call does not come from our scripts. */
function readRequest(args: readonly string[]): Request | undefined {
  const end = args.indexOf('--')
  const flags = args.slice(0, Math.max(end, 0))
  const textOf = (flag: string) => (flags.includes(flag) ? (flags[flags.indexOf(flag) + 1] ?? '') : '')
  const shell = SHELLS.find((known) => known === textOf('--shell'))
  return shell && end >= 0
    ? {
        shell,
        words: args.slice(end + 1),
        line: textOf('--line'),
        breaks: textOf('--breaks'),
        completionType: textOf('--type'),
      }
    : undefined
}
