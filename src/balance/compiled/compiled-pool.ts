/**
 * The pool in the form that a search works on: hosts and VMs are numbers in the order of their uuids, so that the order in the
 * document cannot matter, and what is asked often lies in flat arrays. Made once by `compile`, never changed: a search keeps its
 * own copy of `hostOf`.
 */
import type { Host, Pool, Rule, Vm } from '../document/pool-document.js'

/** Resources with a demand that changes over time; memory is apart from them. */
export const RESOURCES = ['cpu', 'networkReceive', 'networkTransmit', 'diskRead', 'diskWrite'] as const
export type Resource = (typeof RESOURCES)[number]

/** No host, in an array of hosts. */
export const NOWHERE = -1

/** A rule or a VM group, with numbers for names. */
export interface CompiledRule {
  readonly kind: Rule['kind']
  readonly must: boolean
  /** A VM group of xapi: spread where possible; all running members on one host is what must not be. */
  readonly isGroup: boolean
  /** In ascending order; those that are on no host count nowhere. */
  readonly vms: Int32Array
  /** 1 for each host that pin or avoid names. */
  readonly hosts: Uint8Array
  /** `rules[2]` or `group web`: what an explanation calls it. */
  readonly name: string
}

export interface CompiledPool {
  readonly pool: Pool
  /** By uuid; the index is the host's number h. */
  readonly hosts: readonly Host[]
  /** By uuid; the index is the VM's number v. Those that are not running are among them. */
  readonly vms: readonly Vm[]
  readonly hostNumbers: ReadonlyMap<string, number>
  readonly vmNumbers: ReadonlyMap<string, number>
  readonly coordinator: number

  readonly scenarioCount: number
  /** [s], in total 1. */
  readonly scenarioWeight: Float64Array
  /** [r], as the settings say. */
  readonly resourceWeight: Float64Array
  readonly memoryWeight: number
  /** [(v * RESOURCES.length + r) * scenarioCount + s]; what is unknown is filled in, see `isLoadKnown`. */
  readonly demand: Float64Array
  /** Numbers of the resources that any VM demands. */
  readonly measuredResources: readonly number[]
  /** Numbers of the resources that can be congested: they have a weight, and some host has a capacity. */
  readonly usedResources: readonly number[]
  /** [(h * RESOURCES.length + r) * scenarioCount + s]: what the host consumes itself. */
  readonly base: Float64Array
  /** [h * RESOURCES.length + r]: what counts as full, the coordinator's reserve taken off; Infinity where unknown. */
  readonly capacity: Float64Array

  /** [h] for guests. The reserve of the coordinator is not taken off: it is a goal, this is the limit. */
  readonly memoryBytes: Float64Array
  /** [h] kept free of wanted memory on the coordinator; 0 elsewhere. */
  readonly memoryReserveBytes: Float64Array
  /** [v] */
  readonly floorBytes: Float64Array
  readonly wantBytes: Float64Array
  readonly staticMaxBytes: Float64Array

  /** [v] where the VM occupies memory now, or NOWHERE. */
  readonly hostOf: Int32Array
  /** [v] 1: `mayMove` has no objection: it is running, nothing holds it, and it has not moved lately. */
  readonly isMovable: Uint8Array
  /** [v * hosts + h] 1: `mayRun` has no objection, apart from memory, and no must rule "pin" or "avoid" has. */
  readonly mayRun: Uint8Array
  /** [v] 0: no CPU sample in the last quarter of an hour. It is not moved because of load. */
  readonly isLoadKnown: Uint8Array
  /** [h] live. */
  readonly isLive: Uint8Array
  /** [h] live and enabled. */
  readonly isEnabled: Uint8Array
  /** [h] live, enabled, and not excluded from accepting: it may receive VMs in a plan. */
  readonly isAccepting: Uint8Array
  /** [h] not excluded from optimisation: its VMs may leave because of load. */
  readonly isGiving: Uint8Array
  readonly rules: readonly CompiledRule[]
  /** [v] numbers of the rules in which the VM is. */
  readonly rulesOf: readonly (readonly number[])[]
}
