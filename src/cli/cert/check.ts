/** `wlb cert check`: what a pool, or a strict client, would say of certificates, before it is asked. */
import { describeCertificate } from '../../x509/index.js'
import { CouldNotTell, EXIT, printJson } from '../print.js'
import { type Finding, type Judgement, judge } from './check/judgement.js'
import { describeJudgement } from './check/picture.js'
import { type CheckQuestion, readQuestion } from './check/question.js'
import type { CheckFlags } from './commands.js'

/** Exits 0 when accepted, 1 when refused, 2 when nobody can tell. */
export async function certCheck(root: string, files: readonly string[], options: CheckFlags): Promise<void> {
  const { question, judgement } = await answer(root, files, options).catch((error: unknown) => {
    throw new CouldNotTell('the question cannot be answered', { cause: error })
  })
  if (options.json) printJson(documentOf(judgement, question))
  else process.stdout.write(`${describeJudgement(judgement, question)}\n`)
  if (!judgement.accepted) process.exitCode = EXIT.no
}

async function answer(root: string, files: readonly string[], options: CheckFlags) {
  const question = await readQuestion(root, files, options)
  return { question, judgement: judge(question, options.asBrowser ? 'browser' : 'pool') }
}

/** Field names are a contract with scripts (docs/check.md). */
function documentOf(judgement: Judgement, { name, endpoint, now, trust, crls, facts }: CheckQuestion): object {
  const { as, accepted, reason, opensslNumber, xapiError, path, fromServer, defects, warnings } = judgement
  return {
    accepted,
    reason,
    opensslNumber,
    xapiError,
    path: path.map(subjectOf),
    defects: defects.map(describeFinding),
    warnings: warnings.map(({ code, certificate, message, remedy }) => ({
      code,
      certificate: subjectOf(certificate),
      message,
      remedy,
    })),
    as,
    name,
    at: now.toISOString(),
    trust,
    crls: crls?.length ?? 0,
    fromServer,
    ...(facts && { endpoint: { ...endpoint, ...describeFacts(facts) } }),
  }
}

function describeFinding({ code, depth, certificate, opensslNumber, message, remedy }: Finding): object {
  return {
    code,
    depth,
    certificate: certificate ? subjectOf(certificate) : '',
    opensslNumber: opensslNumber ?? 0,
    message,
    remedy,
  }
}

function describeFacts(facts: NonNullable<CheckQuestion['facts']>): object {
  if (!('certificates' in facts)) return facts
  return { ...facts, certificates: facts.certificates.map(subjectOf) }
}

function subjectOf(certificate: Parameters<typeof describeCertificate>[0]): string {
  return describeCertificate(certificate).subject
}
