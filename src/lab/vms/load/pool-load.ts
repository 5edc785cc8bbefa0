/**
 * What the machines of a pool demand and get, for any window of the archives: generated demand, pins, moves, and the
 * sharing of a host whose processors are not enough.
 */
import { meanActivity, type Profile, parts, peakActivity, type TimeWindow } from './activity.js'
import { share } from './contention.js'
import { changesWithin, type Life, lifeAt, type Pin, pinAt, pinsChangeWithin } from './life.js'
import type { Appetite } from './profile.js'

export interface LoadedVm {
  readonly uuid: string
  readonly vcpus: number
  readonly weight: number
  /** What the VM may use at most, in cores. */
  readonly mostCores: number
  readonly life: Life
  readonly pins: readonly Pin[]
  readonly profile: Profile
  readonly appetite: Appetite
}

export interface LoadedHost {
  readonly uuid: string
  readonly cores: number
  /** Its own name while it is up. */
  readonly life: Life
  /** Of its control domain. */
  readonly pins: readonly Pin[]
  readonly controlDomain: { readonly vcpus: number; readonly profile: Profile }
}

/** Means over the part of the window in which the VM ran on that host. */
export interface Use {
  /** The part of the window in which it ran there: 0 to 1. */
  readonly present: number
  readonly wantedCores: number
  readonly usedCores: number
  readonly rx: number
  readonly tx: number
  readonly read: number
  readonly write: number
}

/** One host in one window; its control domain is present while it is up. */
export interface Moment {
  readonly vms: ReadonlyMap<string, Use>
  readonly controlDomain: Use
}

/** The stream of a migration, all streams of a host together, in bytes a second, and the cores each takes on both hosts. */
const MOVE_BYTES = 500e6
const MOST_MOVE_BYTES = 1_100e6
const MOVE_CORES = 0.4
/** Processor time of the control domain for the input and output of its VMs. */
const CORES_PER_BYTE = 0.12 / 50e6
const CORES_PER_VM = 0.006
/** Xen gives the control domain the same weight as a VM. */
const CONTROL_DOMAIN_WEIGHT = 256

/** A host that is down for the whole window. */
const DOWN: Moment = {
  vms: new Map(),
  controlDomain: { present: 0, wantedCores: 0, usedCores: 0, rx: 0, tx: 0, read: 0, write: 0 },
}

/** How closely a window is looked at in which processors may not be enough. */
export type Precision = 'fine' | 'coarse'

/** Those of the row that is being made, and of its parts: what its columns share. */
const MOST_REMEMBERED = 500

export class PoolLoad {
  readonly #vms: readonly LoadedVm[]
  readonly #byUuid: ReadonlyMap<string, LoadedVm>
  readonly #hosts: ReadonlyMap<string, LoadedHost>
  readonly #guests = new Map<string, readonly LoadedVm[]>()
  readonly #moments = new Map<string, Moment>()
  readonly #short = new Map<string, boolean>()
  readonly #speed: number

  constructor(hosts: readonly LoadedHost[], vms: readonly LoadedVm[], speed: number) {
    this.#vms = vms
    this.#byUuid = new Map(vms.map((vm) => [vm.uuid, vm]))
    this.#hosts = new Map(hosts.map((host) => [host.uuid, host]))
    this.#speed = speed
  }

  /** Returns what a VM used wherever it ran; undefined when it ran nowhere. */
  useOf(uuid: string, window: TimeWindow, precision: Precision = 'fine'): Use | undefined {
    const vm = this.#byUuid.get(uuid)
    if (!vm) return undefined
    const { start, step } = window
    if (step === 5 || !changesWithin(vm.life, start, start + step)) {
      const { host } = lifeAt(vm.life, start + step / 2)
      return host === '' ? undefined : this.momentOf(host, window, precision)?.vms.get(uuid)
    }
    return meanUse(parts(window).map((part) => this.useOf(uuid, part, 'coarse')))
  }

  /** What a host does at this very time: the demand of the sample that has begun, with everything that has changed since. */
  momentNow(hostUuid: string, time: number): Moment | undefined {
    const host = this.#hosts.get(hostUuid)
    return host && this.#atOnce(host, this.#guestsOf(hostUuid), { start: Math.floor(time / 5) * 5, step: 5 }, time)
  }

  /** Returns undefined for a host that is not known. */
  momentOf(hostUuid: string, window: TimeWindow, precision: Precision = 'fine'): Moment | undefined {
    const host = this.#hosts.get(hostUuid)
    if (!host) return undefined
    return this.#remembered(host, window, precision)
  }

  #remembered(host: LoadedHost, window: TimeWindow, precision: Precision): Moment {
    const key = `${host.uuid} ${window.step} ${window.start} ${precision}`
    const known = this.#moments.get(key)
    if (known) return known
    const moment = this.#compute(host, window, precision)
    if (this.#moments.size > MOST_REMEMBERED) this.#moments.clear()
    this.#moments.set(key, moment)
    return moment
  }

  /**
   * A window in which something changes is the mean of its parts; so is, if it is to be fine, one in which the processors
   * may not be enough. Otherwise the processors are shared among the mean demands.
   */
  #compute(host: LoadedHost, window: TimeWindow, precision: Precision): Moment {
    const guests = this.#guestsOf(host.uuid)
    const { start, step } = window
    const end = start + step
    const changes =
      changesWithin(host.life, start, end) ||
      pinsChangeWithin(host.pins, start, end) ||
      guests.some(({ life, pins }) => changesWithin(life, start, end) || pinsChangeWithin(pins, start, end))
    if (step > 5 && (changes || (precision === 'fine' && this.#mayBeShort(host, guests)))) {
      return meanMoment(parts(window).map((part) => this.#remembered(host, part, 'coarse')))
    }
    return this.#atOnce(host, guests, window)
  }

  /** Nothing changes within the window. */
  #atOnce(
    host: LoadedHost,
    guests: readonly LoadedVm[],
    window: TimeWindow,
    time = window.start + window.step / 2,
  ): Moment {
    if (lifeAt(host.life, time).host === '') return DOWN
    const running = guests.filter(({ life }) => lifeAt(life, time).host === host.uuid)
    const wanted = running.map((vm) => this.#wantedBy(vm, window, time))
    const moves = guests.map(({ life }) => lifeAt(life, time)).filter(({ to }) => to !== undefined)
    const leaving = moves.filter((move) => move.host === host.uuid).length
    const coming = moves.filter((move) => move.to === host.uuid).length

    const io = running.reduce((sum, vm, index) => sum + (wanted[index] ?? 0) * bytesOf(vm), 0)
    const own =
      meanActivity(host.controlDomain.profile, window, this.#speed) +
      running.length * CORES_PER_VM +
      io * CORES_PER_BYTE +
      (leaving + coming) * MOVE_CORES
    const controlCores = Math.min(pinAt(host.pins, time) ?? own, host.controlDomain.vcpus)

    const weights = [...running.map(({ weight }) => weight), CONTROL_DOMAIN_WEIGHT]
    const granted = share([...wanted, controlCores], weights, host.cores)
    return {
      vms: new Map(running.map((vm, index) => [vm.uuid, useFrom(vm, wanted[index] ?? 0, granted[index] ?? 0)])),
      controlDomain: {
        present: 1,
        wantedCores: controlCores,
        usedCores: granted.at(-1) ?? 0,
        rx: Math.min(coming * MOVE_BYTES, MOST_MOVE_BYTES),
        tx: Math.min(leaving * MOVE_BYTES, MOST_MOVE_BYTES),
        read: 0,
        write: 0,
      },
    }
  }

  #wantedBy({ profile, pins, vcpus, mostCores }: LoadedVm, window: TimeWindow, time: number): number {
    return Math.min(pinAt(pins, time) ?? meanActivity(profile, window, this.#speed) * vcpus, mostCores)
  }

  /** Counts every VM that was ever there, each at its peak. */
  #mayBeShort(host: LoadedHost, guests: readonly LoadedVm[]): boolean {
    const known = this.#short.get(host.uuid)
    if (known !== undefined) return known
    let most = Math.max(peakActivity(host.controlDomain.profile), ...host.pins.map(({ cores }) => cores))
    for (const vm of guests) {
      const cores = peakCores(vm)
      const moves = vm.life.some(({ to }) => to !== undefined) ? MOVE_CORES : 0
      most += cores * (1 + bytesOf(vm) * CORES_PER_BYTE) + CORES_PER_VM + moves
    }
    const short = most > host.cores
    this.#short.set(host.uuid, short)
    return short
  }

  /** Every VM that ran on a host or was on its way there. */
  #guestsOf(host: string): readonly LoadedVm[] {
    const known = this.#guests.get(host)
    if (known) return known
    const guests = this.#vms.filter(({ life }) => life.some((entry) => entry.host === host || entry.to === host))
    this.#guests.set(host, guests)
    return guests
  }
}

/** For each busy core. */
function bytesOf({ appetite: { rx, tx, read, write } }: LoadedVm): number {
  return rx + tx + read + write
}

function peakCores({ profile, pins, vcpus, mostCores }: LoadedVm): number {
  return Math.min(Math.max(peakActivity(profile) * vcpus, ...pins.map(({ cores }) => cores)), mostCores)
}

/** A VM that gets less processor time sends, receives, reads and writes less. */
function useFrom({ appetite }: LoadedVm, wantedCores: number, usedCores: number): Use {
  return {
    present: 1,
    wantedCores,
    usedCores,
    rx: usedCores * appetite.rx,
    tx: usedCores * appetite.tx,
    read: usedCores * appetite.read,
    write: usedCores * appetite.write,
  }
}

function meanMoment(moments: readonly Moment[]): Moment {
  const uuids = new Set(moments.flatMap(({ vms }) => [...vms.keys()]))
  const vms = new Map<string, Use>()
  for (const uuid of uuids) {
    const use = meanUse(moments.map((moment) => moment.vms.get(uuid)))
    if (use) vms.set(uuid, use)
  }
  return { vms, controlDomain: meanUse(moments.map((moment) => moment.controlDomain)) ?? DOWN.controlDomain }
}

/** The mean over the time the VM was there. */
function meanUse(uses: readonly (Use | undefined)[]): Use | undefined {
  let present = 0
  const sum = { wantedCores: 0, usedCores: 0, rx: 0, tx: 0, read: 0, write: 0 }
  for (const use of uses) {
    if (!use) continue
    present += use.present
    sum.wantedCores += use.present * use.wantedCores
    sum.usedCores += use.present * use.usedCores
    sum.rx += use.present * use.rx
    sum.tx += use.present * use.tx
    sum.read += use.present * use.read
    sum.write += use.present * use.write
  }
  if (present === 0) return undefined
  return {
    present: present / uses.length,
    wantedCores: sum.wantedCores / present,
    usedCores: sum.usedCores / present,
    rx: sum.rx / present,
    tx: sum.tx / present,
    read: sum.read / present,
    write: sum.write / present,
  }
}
