/** Before another certificate is put in place: which registered pools would refuse it from that moment, and what to do first. */
import { visibleCommand, visibleLine } from '../../base/text/printable.js'
import { quoteWord } from '../../base/text/quote-word.js'
import { askPools, type PoolsAsked } from '../../server/index.js'
import type { PoolOutlook } from '../../trust/index.js'
import { fail } from '../errors.js'
import { isAtTerminal, isSure } from '../terminal/ask.js'
import { inRoot, printNote } from '../terminal/print.js'

export interface PoolsAhead {
  readonly asked: PoolsAsked
  /** Those that would be cut off, or may be. */
  readonly cutOff: readonly PoolOutlook[]
}

export interface Replacing {
  readonly question: string
  /** The command that was typed, without `--yes` and `--anyway`. */
  readonly command: string
  /** The words of `wlb trust renew` that do the same without a gap. */
  readonly renewal: string
  /** Of an appliance on this machine. */
  readonly root: string | undefined
  /** Of an appliance elsewhere the pools are often known to nobody here: then the answer is a person's, or `--yes`. */
  readonly isElsewhere?: boolean
  readonly afterNo?: string
  readonly flags: { readonly yes?: boolean | undefined; readonly anyway?: boolean | undefined }
}

/** For a certificate that is in place already. */
export const NO_POOLS: PoolsAhead = { asked: { state: 'asked', pools: [] }, cutOff: [] }

/** Asks the registered pools, and changes nothing. `certificatePem`: what would be served, leaf first. */
export async function lookAtPools(root: string, certificatePem: string): Promise<PoolsAhead> {
  printNote('asking the registered pools ...\n')
  return aheadOf(await askPools(root, certificatePem))
}

export function aheadOf(asked: PoolsAsked): PoolsAhead {
  const isCutOff = ({ outlook }: PoolOutlook) => outlook === 'refuses' || outlook === 'unknown'
  return { asked, cutOff: asked.state === 'asked' ? asked.pools.filter(isCutOff) : [] }
}

/** Nothing where no pool is registered. */
export function describePools({ asked, cutOff }: PoolsAhead, renewal: string, root: string | undefined): string[] {
  if (asked.state === 'unknown')
    return ['', `Whether registered pools would refuse it is not known: ${visibleLine(asked.why)}`]
  if (asked.pools.length === 0) return []
  const lines = asked.pools.map((pool) =>
    visibleLine(`  ${nameOf(pool)}  ${SAYS[pool.outlook]}${pool.why && ` (${pool.why})`}`),
  )
  const [first] = cutOff
  return [
    '',
    'Registered pools, from the moment it is in place:',
    ...lines,
    ...(first ? ['', ...describeRenewal(cutOff, renewalOf(first, renewal, root))] : []),
  ]
}

const SAYS: Readonly<Record<PoolOutlook['outlook'], string>> = {
  accepts: 'goes on',
  refuses: 'REFUSES it',
  'refuses already': 'refuses it, as it refuses the one in place',
  'not verifying': 'goes on without looking at it',
  unknown: 'MAY REFUSE it',
}

function describeRenewal(cutOff: readonly PoolOutlook[], renewal: string): string[] {
  if (cutOff.length === 1) return [`Without a gap, every host trusting it first:  ${visibleCommand(renewal)}`]
  return [
    'Without a gap: make each of them trust the new certificate first (wlb trust apply), then:',
    `  ${visibleCommand(`${renewal} --other-pools-ready`)}`,
  ]
}

function nameOf({ name, uuid, url }: PoolOutlook): string {
  return `${name || uuid} (${url || 'address unknown'})`
}

/** The user and the password of the pool have to be given where it was never met from here. */
function renewalOf({ url }: PoolOutlook, renewal: string, root: string | undefined): string {
  return inRoot(`${renewal} --pool ${quoteWord(url)} --password-file FILE`, root)
}

/** The same for scripts. */
export function poolsDocument({ asked }: PoolsAhead): object {
  return asked.state === 'asked' ? { pools: asked.pools } : { pools: null, poolsNotAsked: asked.why }
}

/**
 * Asks once. Where a pool would be cut off, Enter alone means no, and `--yes` counts only together with `--anyway`.
 *
 * @throws POOLS_WOULD_REFUSE, USAGE_NEEDS_YES
 */
export async function isSureOfPools(ahead: PoolsAhead, replacing: Replacing): Promise<boolean> {
  const { question, command, flags, renewal, root, isElsewhere = false, afterNo } = replacing
  const { yes = false, anyway = false } = flags
  const { asked, cutOff } = ahead
  const isSafe = asked.state === 'asked' && cutOff.length === 0
  const isRefused = cutOff.length > 0 || (!isSafe && !isElsewhere)
  if (isRefused && !anyway && (yes || !isAtTerminal())) {
    const [first] = cutOff
    throw fail('POOLS_WOULD_REFUSE', {
      pools: cutOff.map(nameOf).join('; ') || 'not known',
      why: asked.state === 'unknown' ? asked.why : (first?.why ?? ''),
      missing: '--anyway',
      command: first ? renewalOf(first, renewal, root) : 'wlb status',
    })
  }
  return isSure(question, { command: anyway ? `${command} --anyway` : command, yes, isFinal: !isSafe, afterNo })
}
