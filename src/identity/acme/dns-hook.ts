/**
 * Answers dns-01 (RFC 8555, 8.4) by a program of the site's own, which knows how to change its DNS. It is called as
 * `PROGRAM add|remove NAME VALUE`, the same in its environment, and ends when the authority can see the change.
 */
import { WlbError } from '../../base/error.js'
import { runCommand } from '../../base/run-command.js'
import type { DnsChallenge } from '../../config/acme-settings.js'

export interface HookLimits {
  /** Changes in the DNS take a while to be seen: five minutes unless said otherwise. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const HOOK_TIMEOUT_MS = 300_000

/** Puts the record of a name into the DNS, or takes it out. @throws ACME_HOOK_FAILED */
export async function callHook(
  { hook }: DnsChallenge,
  action: 'add' | 'remove',
  name: string,
  value: string,
  { timeoutMs = HOOK_TIMEOUT_MS, signal }: HookLimits,
): Promise<void> {
  const record = `_acme-challenge.${name}`
  const environment = { WLB_ACME_ACTION: action, WLB_ACME_NAME: record, WLB_ACME_VALUE: value }
  const { command, exitCode, output } = await runCommand([hook, action, record, value], timeoutMs, {
    environment,
    signal,
  })
  if (exitCode !== 0) throw hookFailed(command, exitCode, output)
}

function hookFailed(command: string, exitCode: number | null, output: string): WlbError {
  return new WlbError(
    'ACME_HOOK_FAILED',
    'The program that changes the DNS did not do its work.',
    { command, ...(exitCode !== null && { exitCode }), output: output || '(it said nothing)' },
    command,
  )
}
