/** The commands of `wlb balance`: their words, options and examples. */
import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import type { Change } from '../../balance/index.js'
import { collect, examples, type FlagsOf, type Parent } from '../options.js'

export type PlanFlags = FlagsOf<typeof plan>
export type PlaceFlags = FlagsOf<typeof place>
export type EvacuateFlags = FlagsOf<typeof evacuate>
export type CapacityFlags = FlagsOf<typeof capacity>
export type WhatIfFlags = FlagsOf<typeof whatIf>
export type SimulateFlags = FlagsOf<typeof simulate>

const POOL_FILE = ['--pool-file <FILE>', 'the pool as a document of openwlb-pool/1; - is stdin'] as const
const JSON_OPTION = ['--json', 'print one JSON document'] as const
const DOCUMENT = '\nThe document is described in docs/pool-document.md. Nothing is changed anywhere: this is advice.'

export function plan(balance: Parent) {
  return balance
    .command('plan')
    .description('what to move so that no host is overloaded and every rule is kept, and why')
    .option(...POOL_FILE)
    .option('--stream', 'read a document a line, and print a plan a line, until the input ends')
    .option(
      '--explain',
      'also the second best of each move, what was refused, why VMs are stuck, and why hosts stay congested or on',
    )
    .option(...JSON_OPTION)
    .addHelpText(
      'before',
      examples(
        'wlb balance plan --pool-file pool.json',
        'wlb balance plan --pool-file pool.json --explain',
        'wlb balance plan --stream < pools.jsonl',
      ),
    )
    .addHelpText('after', DOCUMENT)
}

export function place(balance: Parent) {
  return balance
    .command('place')
    .description('where a VM should start, resume or go: stars for every live host, or the reason for none')
    .requiredOption(...POOL_FILE)
    .requiredOption('--vm <UUID>', 'the VM, running or not')
    .option('--explain', 'also what speaks against each host, in numbers')
    .option(...JSON_OPTION)
    .addHelpText(
      'before',
      examples('wlb balance place --pool-file pool.json --vm 5d0e4a52-52a1-47a5-a9f7-0b5a0a3ad301'),
    )
    .addHelpText('after', DOCUMENT)
}

export function evacuate(balance: Parent) {
  return balance
    .command('evacuate')
    .description('where the VMs of a host go so that it can be maintained; in any order, ten at a time')
    .requiredOption(...POOL_FILE)
    .requiredOption('--host <UUID>', 'the host to be emptied')
    .option(
      '--explain',
      'also what each move does to its target, and for each VM that stays, what is wrong with every host',
    )
    .option(...JSON_OPTION)
    .addHelpText(
      'before',
      examples('wlb balance evacuate --pool-file pool.json --host 9a1c0000-0000-4000-8000-000000000002'),
    )
    .addHelpText('after', DOCUMENT)
}

export function capacity(balance: Parent) {
  return balance
    .command('capacity')
    .description('how many hosts may fail, when growth meets the limit, how many more VMs fit')
    .requiredOption(...POOL_FILE)
    .option('--vm <UUID>', 'how many more VMs like this one')
    .option(...JSON_OPTION)
    .addHelpText(
      'before',
      examples('wlb balance capacity --pool-file pool.json --vm 5d0e4a52-52a1-47a5-a9f7-0b5a0a3ad301'),
    )
    .addHelpText('after', DOCUMENT)
}

export function whatIf(balance: Parent) {
  return balance
    .command('what-if')
    .description('plan and capacity now, and with a host more, a host less, or a rule more')
    .requiredOption(...POOL_FILE)
    .option('--add-host <UUID>', 'one more host like this one; may be repeated', collect)
    .option('--remove-host <UUID>', 'without this host: it is to be emptied; may be repeated', collect)
    .option('--add-rule <RULE>', 'KIND:VM,VM or KIND:VM,VM@HOST,HOST; may be repeated', collectRule)
    .option('--vm <UUID>', 'how many more VMs like this one')
    .option(...JSON_OPTION)
    .addHelpText(
      'before',
      examples(
        'wlb balance what-if --pool-file pool.json --remove-host 9a1c0000-0000-4000-8000-000000000002',
        'wlb balance what-if --pool-file pool.json --add-rule apart:VM1,VM2',
        'wlb balance what-if --pool-file pool.json --add-rule should-pin:VM1@HOST1,HOST2',
      ),
    )
    .addHelpText('after', '\nKIND is apart, together, pin or avoid; should- in front of it makes it a wish.')
}

export function simulate(balance: Parent) {
  return balance
    .command('simulate')
    .description('the day that the document holds, as it was and as it would have been with advice')
    .requiredOption(...POOL_FILE)
    .addOption(
      new Option('--mode <MODE>', 'in place of the mode of the document').choices(['performance', 'density'] as const),
    )
    .option('--horizon <MINUTES>', 'in place of settings.horizonMinutes: a short one makes fewer moves', collectMinutes)
    .option('--html <FILE>', 'also write a page with charts, which loads nothing from elsewhere')
    .option(...JSON_OPTION)
    .addHelpText(
      'before',
      examples(
        'wlb balance simulate --pool-file pool.json',
        'wlb balance simulate --pool-file pool.json --mode density --html day.html',
      ),
    )
    .addHelpText(
      'after',
      '\nVMs start where the document has them, and demand what they demanded. A plan is made and carried out\nevery five minutes; it sees only what was over by then.',
    )
}

const MOST_HORIZON_MINUTES = 10_080

function collectMinutes(text: string): number {
  const minutes = Number(text)
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= MOST_HORIZON_MINUTES) return minutes
  throw new InvalidArgumentError(`It must be a whole number of minutes from 1 to ${MOST_HORIZON_MINUTES}.`)
}

type AddRule = Extract<Change, { kind: 'add-rule' }>

function collectRule(text: string, before: readonly AddRule[] = []): readonly AddRule[] {
  const [, wish, kind, vms = '', hosts] = /^(should-)?(apart|together|pin|avoid):([^@]+)(?:@(.+))?$/.exec(text) ?? []
  if (kind !== 'apart' && kind !== 'together' && kind !== 'pin' && kind !== 'avoid') {
    throw new InvalidArgumentError(
      'It must be KIND:VM,VM or KIND:VM,VM@HOST,HOST, with a KIND of apart, together, pin, avoid.',
    )
  }
  const rule = { kind, strength: wish ? 'should' : 'must', vms: vms.split(','), hosts: hosts?.split(',') } as const
  return [...before, { kind: 'add-rule', rule }]
}
