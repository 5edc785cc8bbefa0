/** Which guests a new pool has: name, service, size, operating system, and the host each starts on. The seed decides. */
import { type SeededRandom, seededRandom, seededUuid } from './seeded-random.js'

const MIB = 1024 ** 2
export const GIB = 1024 ** 3

export interface Guest {
  readonly uuid: string
  readonly name: string
  /** What it is for; guests of one service are busy at the same time. */
  readonly service: string
  readonly vcpus: number
  readonly memoryBytes: number
  /** Less than `memoryBytes` where its memory may be taken back by ballooning. */
  readonly memoryFloorBytes: number
  readonly diskBytes: number
  readonly isWindows: boolean
  /** Index of the host it starts on. */
  readonly host: number
}

/** A host as it is bought for its guests: all hosts of a pool are alike. */
export interface HostSize {
  readonly cpus: number
  readonly memoryBytes: number
  /** Xen's own. */
  readonly overheadBytes: number
  readonly controlDomainBytes: number
}

interface Service {
  readonly name: string
  /** How many of a hundred guests. */
  readonly share: number
  readonly vcpus: readonly [number, ...number[]]
  readonly memoryGib: readonly [number, ...number[]]
  readonly isWindows?: true
}

const SERVICES: readonly [Service, ...Service[]] = [
  { name: 'web', share: 28, vcpus: [1, 2, 2], memoryGib: [1, 2, 2] },
  { name: 'app', share: 20, vcpus: [2, 2, 4], memoryGib: [2, 4, 4] },
  { name: 'db', share: 10, vcpus: [2, 4, 4], memoryGib: [4, 8, 8] },
  { name: 'cache', share: 8, vcpus: [1, 2], memoryGib: [2, 4] },
  { name: 'mail', share: 6, vcpus: [1, 2], memoryGib: [2, 4] },
  { name: 'files', share: 6, vcpus: [1, 2], memoryGib: [2, 4], isWindows: true },
  { name: 'build', share: 6, vcpus: [2, 4], memoryGib: [2, 4] },
  { name: 'desk', share: 12, vcpus: [1, 2], memoryGib: [2, 4], isWindows: true },
  { name: 'test', share: 4, vcpus: [1], memoryGib: [1, 2] },
]

/** Chooses the guests of a pool and what its hosts are like. */
export function chooseGuests(
  seed: number,
  hosts: number,
  count: number,
): { readonly guests: readonly Guest[]; readonly hostSize: HostSize } {
  const random = seededRandom(seed, 'guests')
  const counts = new Map<string, number>()
  const homeless = Array.from({ length: count }, (_, index) => {
    const service = chooseService(random)
    const number = (counts.get(service.name) ?? 0) + 1
    counts.set(service.name, number)
    const memoryBytes = random.pick(service.memoryGib) * GIB
    const balloons = random.fraction() < 0.3
    return {
      uuid: seededUuid(seed, `guest ${index}`),
      name: `${service.name}-${String(number).padStart(2, '0')}`,
      service: service.name,
      vcpus: random.pick(service.vcpus),
      memoryBytes,
      memoryFloorBytes: balloons ? memoryBytes / 2 : memoryBytes,
      diskBytes: random.pick([20, 40, 40, 100]) * GIB,
      isWindows: service.isWindows === true,
    }
  })
  const hostSize = sizeHosts(hosts, homeless)
  return { guests: place(homeless, hosts, hostSize, seededRandom(seed, 'placement')), hostSize }
}

function chooseService(random: SeededRandom): Service {
  const [first = SERVICES[0], ...others] = SERVICES.flatMap((service) =>
    Array.from({ length: service.share }, () => service),
  )
  return random.pick([first, ...others])
}

/** xapi's estimate for a guest with hardware virtualisation: shadow and mapping tables, and a little for each vCPU (memory.ml). */
export function guestOverheadBytes({ memoryBytes, vcpus }: Pick<Guest, 'memoryBytes' | 'vcpus'>): number {
  return (Math.ceil(memoryBytes / MIB / 128) + vcpus + 2) * MIB
}

const MEMORY_STEPS_GIB = [16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048]
const CPU_STEPS = [4, 8, 12, 16, 24, 32, 48, 64, 96, 128]
/** With all guests at full memory, so that a host of three can be emptied. */
const MOST_OF_MEMORY = 0.6
const VCPUS_A_CPU = 2.5

/** The smallest machines on which the guests fit with room to move. */
function sizeHosts(hosts: number, guests: readonly Omit<Guest, 'host'>[]): HostSize {
  const bytes = guests.reduce((sum, guest) => sum + guest.memoryBytes + guestOverheadBytes(guest), 0) / hosts
  const vcpus = guests.reduce((sum, guest) => sum + guest.vcpus, 0) / hosts
  const sizes = MEMORY_STEPS_GIB.map((gib) => ({
    memoryBytes: gib * GIB,
    overheadBytes: (128 + gib * 4) * MIB,
    controlDomainBytes: (gib < 64 ? 2 : gib < 256 ? 4 : 8) * GIB,
  }))
  const fitting = sizes.find((size) => bytes <= MOST_OF_MEMORY * roomOf(size)) ?? sizes.at(-1)
  if (!fitting) throw new Error('no size of hosts')
  return { ...fitting, cpus: CPU_STEPS.find((cpus) => vcpus <= cpus * VCPUS_A_CPU) ?? 128 }
}

function roomOf(size: Omit<HostSize, 'cpus'>): number {
  return size.memoryBytes - size.overheadBytes - size.controlDomainBytes
}

/** No host starts fuller than this, as long as there is another. */
const FULL = 0.85

/** By chance, as pools grow: hosts differ in their load, and none is too full. */
function place(
  guests: readonly Omit<Guest, 'host'>[],
  hosts: number,
  size: HostSize,
  random: SeededRandom,
): readonly Guest[] {
  const free = Array.from({ length: hosts }, () => roomOf(size))
  const reserve = roomOf(size) * (1 - FULL)
  return guests.map((guest) => {
    const needed = guest.memoryBytes + guestOverheadBytes(guest)
    const fitting = free.flatMap((bytes, host) => (bytes - needed >= reserve ? [host] : []))
    const roomiest = free.indexOf(Math.max(...free))
    const host = fitting[Math.floor(random.fraction() * fitting.length)] ?? roomiest
    free[host] = (free[host] ?? 0) - needed
    return { ...guest, host }
  })
}
