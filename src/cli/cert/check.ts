/** `wlb cert check`: predicts what a pool, or a strict client, says of certificates. */
import { visible } from '../../base/text/printable.js'
// not through index.ts: with it the bundle of this command would load what makes connections
import { checkDocument, judge } from '../../tls/judgement.js'
import { CouldNotTell, EXIT, printJson, printText } from '../terminal/print.js'
import { describeJudgement } from './check/picture.js'
import { readQuestion } from './check/question.js'
import type { CheckFlags } from './commands.js'

/** Exits 0 when accepted, 1 when refused, 2 when it cannot tell. */
export async function certCheck(root: string, files: readonly string[], options: CheckFlags): Promise<void> {
  const { question, judgement } = await answer(root, files, options).catch((error: unknown) => {
    throw new CouldNotTell('the question cannot be answered', { cause: error })
  })
  if (options.json) printJson(checkDocument(judgement, question))
  else printText(`${describeJudgement(visible(judgement), question)}\n`)
  if (!judgement.accepted) process.exitCode = EXIT.no
}

async function answer(root: string, files: readonly string[], options: CheckFlags) {
  const question = await readQuestion(root, files, options)
  return { question, judgement: judge(question, options.asBrowser ? 'browser' : 'pool') }
}
