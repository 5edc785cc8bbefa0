/** `wlb doctor`: examines pool and appliance, and prints what is wrong and what to type, in the order of repair. */

import { errorDocument, WlbError } from '../base/error.js'
import { visible } from '../base/text/printable.js'
import { type Diagnosis, diagnose, diagnosisDocument, type Evidence, type FixedStep, gather } from '../trust/index.js'
import type { PoolSession } from '../xapi/index.js'
import type { DoctorFlags } from './commands.js'
import { describeDiagnosis } from './doctor/diagnosis-text.js'
import { fixSafely } from './doctor/fix.js'
import { startProgress } from './doctor/progress.js'
import { fail } from './errors.js'
import { asTyped, EXIT, inRoot, printError, printJson, printText } from './terminal/print.js'
import { repeatTyped, type TypedCall } from './terminal/typed-call.js'
import { type PoolChoice, remember, withPoolSession } from './trust/open-pool.js'
import { chooseReadStores, type ReadStores } from './trust/open-ssh.js'

/** What was found, and why it may be incomplete. */
interface Looked {
  readonly evidence: Evidence
  readonly diagnosis: Diagnosis
  readonly fixed: readonly FixedStep[]
  /** Why the pool could not be asked. */
  readonly error?: unknown
}

/** The folder, where one was typed, and all that was typed. */
interface DoctorCall {
  readonly root: string | undefined
  readonly call: TypedCall
}

/** For calls that the pool answers by itself. */
const CALL_TIMEOUT_MS = 10_000

/** Exits 0 when healthy, 1 with findings, 2 when it cannot tell. What was `typed`, remedies repeat where it is needed. */
export async function doctor(root: string, flags: DoctorFlags, { root: typedRoot, call }: DoctorCall): Promise<void> {
  const looked = await look(root, flags)
  const { evidence, fixed, error } = looked
  const unknownName = flags.poolInsecure ? evidence.pool?.name : undefined
  const toPaste = (remedy: string) =>
    inRoot(unknownName === undefined ? remedy : repeatTyped(remedy, call, { unknownName }), typedRoot)
  const findings = looked.diagnosis.findings.map((one) => ({ ...one, remedy: toPaste(one.remedy) }))
  const diagnosis = { ...looked.diagnosis, findings }
  if (flags.html !== undefined) {
    const { writePage } = await import('./doctor/page.js')
    await writePage(flags.html, visible(evidence), visible(diagnosis))
  }
  process.exitCode = exitCodeOf(looked, flags)
  if (flags.json) {
    const typed = { root: typedRoot, call }
    const told =
      error instanceof WlbError ? { ...errorDocument(error), remedy: asTyped(error.remedy, typed) } : undefined
    printJson(diagnosisDocument(diagnosis, { fixed: flags.fix ? fixed : undefined, error: told }))
  } else if (flags.predict) printText(`${JSON.stringify(diagnosis.predicted)}\n`)
  else printText(`${describeDiagnosis(visible(evidence), visible(diagnosis), visible(fixed))}\n`)
  if (error !== undefined) printError(error, 'text', { root: typedRoot, call })
  process.exitCode = exitCodeOf(looked, flags)
}

function exitCodeOf({ diagnosis, error }: Looked, { predict, json }: DoctorFlags): number {
  const { healthy, blame, predicted, findings } = diagnosis
  const isOpen = blame === 'unknown' && !findings.some(({ severity }) => severity === 'error')
  if (error !== undefined || (isOpen && !healthy)) return EXIT.usage
  const isFine = predict && !json ? predicted.length === 0 : healthy
  return isFine ? EXIT.done : EXIT.no
}

async function look(root: string, flags: DoctorFlags): Promise<Looked> {
  const isPoolNamed = (flags.pool ?? process.env.WLB_POOL ?? '') !== ''
  const readStores = await chooseReadStores(flags)
  if (!isPoolNamed && !readStores) {
    const evidence = await lookAround(root, flags)
    if (!evidence.appliance) throw fail('USAGE_NOTHING_TO_LOOK_AT', { root, missing: '--pool, or --appliance' })
    const diagnosis = diagnose(evidence)
    if (!flags.fix) return { evidence, diagnosis, fixed: [] }
    const fixed = await fixSafely(diagnosis, { root, evidence, yes: flags.yes ?? false })
    return again(fixed, evidence, diagnosis, () => lookAround(root, flags))
  }
  try {
    const asked = { flags, readStores }
    return await withPoolSession(
      'doctor',
      flags,
      (session, choice) => lookAtPool(root, asked, session, choice),
      CALL_TIMEOUT_MS,
    )
  } catch (told) {
    if (!(told instanceof WlbError) || told.code.startsWith('USAGE_')) throw told
    const seen = await lookAround(root, flags)
    const evidence = { ...seen, notAsked: [`The pool: ${told.message} [${told.code}]`] }
    return { evidence, diagnosis: { ...diagnose(evidence), healthy: false, blame: 'unknown' }, fixed: [], error: told }
  }
}

interface Asked {
  readonly flags: DoctorFlags
  readonly readStores: ReadStores | undefined
}

async function lookAtPool(
  root: string,
  { flags, readStores }: Asked,
  session: PoolSession,
  choice: PoolChoice,
): Promise<Looked> {
  const observe = async () => {
    const progress = startProgress()
    const { appliance } = choice
    try {
      return await gather({
        session,
        applianceRoot: root,
        now: new Date(),
        onHost: progress.onHost,
        appliance,
        at: flags.at,
        ...(readStores && { readStores: (hosts, name) => readStores(hosts, name, progress.aside) }),
      })
    } finally {
      progress.stop()
    }
  }
  const evidence = await observe()
  if (evidence.pool) await remember(flags, session, choice, evidence.pool)
  const diagnosis = diagnose(evidence)
  if (!flags.fix) return { evidence, diagnosis, fixed: [] }
  const fixed = await fixSafely(diagnosis, { root, evidence, yes: flags.yes ?? false, session })
  return again(fixed, evidence, diagnosis, observe)
}

async function again(
  fixed: readonly FixedStep[],
  evidence: Evidence,
  diagnosis: Diagnosis,
  observe: () => Promise<Evidence>,
): Promise<Looked> {
  if (fixed.length === 0) return { evidence, diagnosis, fixed }
  const after = await observe()
  return { evidence: after, diagnosis: diagnose(after), fixed }
}

function lookAround(root: string, { appliance, at }: DoctorFlags): Promise<Evidence> {
  return gather({ applianceRoot: root, now: new Date(), appliance, at })
}
