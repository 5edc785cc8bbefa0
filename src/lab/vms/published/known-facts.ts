/** How a host learns what its metrics depend on, and what it goes by while the coordinator is out of reach. */
import { ApiFailure } from '../../../xapi/index.js'
import { Database, readImage } from '../../database/database.js'
import { HostUnreachable, type LabHost } from '../../host/host.js'
import { type HostFacts, type PoolFacts, parsePoolFacts, readHostFacts } from './pool-facts.js'

export interface KnownFacts {
  readonly facts: PoolFacts
  /** This host. */
  readonly own: HostFacts
}

/** Metrics go on without a coordinator, as xcp-rrdd goes on without xapi. */
export class FactsOfHost {
  readonly #host: LabHost
  #last: PoolFacts | undefined

  constructor(host: LabHost) {
    this.#host = host
  }

  /** Returns undefined for a host that its pool does not know. */
  async current(): Promise<KnownFacts | undefined> {
    const facts = (await this.#ask()) ?? this.#last ?? (await this.#fromDisk())
    this.#last = facts
    const own = facts.hosts.find(({ uuid }) => uuid === this.#host.settings.uuid)
    return own && { facts, own }
  }

  async #ask(): Promise<PoolFacts | undefined> {
    const { role, settings } = this.#host
    if (role.kind === 'coordinator') return readHostFacts(role.database, settings.uuid)
    try {
      return parsePoolFacts(
        String(await this.#host.callPool(role.coordinatorAddress, 'lab.load_facts', [settings.uuid])),
      )
    } catch (error) {
      if (error instanceof HostUnreachable || error instanceof ApiFailure) return undefined
      throw error
    }
  }

  /** The last copy of the coordinator's database. */
  async #fromDisk(): Promise<PoolFacts> {
    const { layout, settings } = this.#host
    return readHostFacts(new Database(layout.database, await readImage(layout.database)), settings.uuid)
  }
}
