/** Why an appliance that is managed over SSH did not get its certificate, and what it serves now. */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { quoteWord } from '../../base/quote-word.js'
import { renderSshTarget, type SshTarget } from '../../ssh/target.js'
import type { ApplianceEndpoint } from '../connection/first-use.js'
import type { ServedProof } from './await-served.js'
import type { ManageStep } from './manage-steps.js'
import type { ManagedPlace } from './managed-files.js'

/** `back` says how the way back ended; undefined where there was none. */
export function notProved({
  target,
  endpoint: { address, port },
  leaf,
  proof,
  restarted,
  restartCommand,
  back,
}: {
  readonly target: SshTarget
  readonly endpoint: ApplianceEndpoint
  readonly leaf: X509Certificate
  readonly proof: ServedProof
  /** What the restart said when it failed. */
  readonly restarted: string
  readonly restartCommand: string
  readonly back: ServedProof | undefined
}): WlbError {
  const facts = {
    target: renderSshTarget(target),
    address,
    port,
    expected: leaf.fingerprint256,
    seen: proof.seen,
    ...(restarted !== '' && { restartSaid: restarted }),
  }
  const byHand = `ssh -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} ${quoteWord(restartCommand)}`
  if (back?.isServed) {
    return new WlbError(
      'MANAGE_ROLLED_BACK',
      'The appliance did not serve the new certificate; the pair before is back in place and served as before.',
      { ...facts, servedNow: back.seen },
      `wlb trust install USER@HOST FILES --key FILE --restart-command COMMAND`,
    )
  }
  return new WlbError(
    'MANAGE_NOT_PROVED',
    back
      ? 'The appliance did not serve the new certificate; the pair before is back in place, and it is not served either.'
      : 'The appliance does not serve the certificate that is in place, and there is no pair before to go back to.',
    { ...facts, servedNow: back?.seen ?? proof.seen },
    `${byHand}`,
  )
}

export function interrupted(target: SshTarget, { id, command }: ManageStep, cause: unknown): WlbError {
  return new WlbError(
    'MANAGE_INTERRUPTED',
    'The SSH connection was cut in the middle; the same command again finds the note there, and goes on or goes back.',
    { target: renderSshTarget(target), step: id, command },
    'wlb trust install USER@HOST FILES --key FILE',
    cause,
  )
}

export function overtaken(target: SshTarget, { id }: ManageStep): WlbError {
  return new WlbError(
    'MANAGE_OVERTAKEN',
    'Another attempt on this appliance has begun since; this one stops, and leaves everything to the other.',
    { target: renderSshTarget(target), step: id },
    'wlb trust install USER@HOST FILES --key FILE --dry-run',
  )
}

export function notRepairable(target: SshTarget, { certificate, key }: ManagedPlace): WlbError {
  return new WlbError(
    'MANAGE_NOT_REPAIRABLE',
    'An attempt that was cut off has left a certificate and a key that do not belong together, and the pair before is gone.',
    { target: renderSshTarget(target), certificate, key },
    `ssh -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} ls -l /etc/ssl/certs`,
  )
}
