/** Repairs of `wlb doctor --fix`: only those that cannot break a connection that works. For the rest it prints commands. */

import { chmod } from 'node:fs/promises'
import { WlbError } from '../../base/error.js'
import { visibleCommand } from '../../base/text/printable.js'
import { shell } from '../../base/text/quote-word.js'
import { activateIdentity } from '../../identity/index.js'
import { breaksNothing, type Diagnosis, type Evidence, type Finding, type FixedStep } from '../../trust/index.js'
import type { PoolSession } from '../../xapi/index.js'
import { ApiFailure } from '../../xapi/index.js'
import { fail } from '../errors.js'
import { isSure } from '../terminal/ask.js'
import { printNote } from '../terminal/print.js'

export interface FixOptions {
  readonly root: string
  readonly evidence: Evidence
  readonly yes: boolean
  readonly session?: PoolSession
}

interface Mending {
  readonly row: number
  readonly command: string
  mend(): Promise<unknown>
}

/** @throws USAGE_NEEDS_YES */
export async function fixSafely({ findings }: Diagnosis, options: FixOptions): Promise<readonly FixedStep[]> {
  const mendings = findings.flatMap((finding) => mendingOf(finding, options) ?? [])
  const distinct = [...new Map(mendings.map((mending) => [mending.command, mending])).values()]
  if (distinct.length === 0) return []
  const list = distinct.map(({ command }) => `  ${visibleCommand(command)}\n`).join('')
  printNote(`Safe to do now:\n${list}`)
  if (!(await isSure('Do it?', { command: 'wlb doctor --fix', yes: options.yes }))) return []
  const steps: FixedStep[] = []
  for (const { row, command, mend } of distinct) {
    const why = await mend().then(() => '', describe)
    steps.push({ row, command, state: why === '' ? 'done' : 'failed', why })
  }
  return steps
}

function mendingOf({ row, code, remedy }: Finding, { root, evidence, session }: FixOptions): Mending | undefined {
  switch (code) {
    case 'HOST_LACKS_CERTIFICATE':
    case 'HOST_HOLDS_OTHER':
    case 'HOST_MISSED_SYNC':
      // if the coordinator itself lacks a certificate, a sync removes it from every member
      if (!session || remedy !== 'xe pool-certificate-sync') return undefined
      return { row, command: remedy, mend: () => session.call('pool.certificate_sync') }
    case 'OLD_CERTIFICATE_SERVED':
      if (!evidence.local?.isAsked || evidence.local.fault) return undefined
      if (!breaksNothing(evidence, evidence.local.onDisk)) return undefined
      return { row, command: remedy, mend: () => reload(root) }
    case 'KEY_PERMISSIONS': {
      const file = evidence.local?.keyFile
      if (file === undefined || evidence.local?.fault) return undefined
      return { row, command: shell`chmod 600 ${file}`, mend: () => chmod(file, 0o600) }
    }
    default:
      return undefined
  }
}

async function reload(root: string): Promise<void> {
  const activation = await activateIdentity(root)
  if (activation.state !== 'proved')
    throw fail('RELOAD_WITHOUT_EFFECT', { why: activation.state === 'failed' ? activation.failed.said : 'not running' })
}

function describe(error: unknown): string {
  if (error instanceof WlbError) return `${error.message} [${error.code}]`
  if (error instanceof ApiFailure) return error.message
  if (error instanceof Error) return error.message
  return String(error)
}
