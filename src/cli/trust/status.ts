/** `wlb trust status`: one line for each host, and above it what all hosts depend on. */
import {
  type Connection,
  doAllVerify,
  type HostVerdict,
  judgeHosts,
  observe,
  proveHosts,
  readKnownCertificates,
  statusDocument,
} from '../../trust/index.js'
import { CouldNotTell, EXIT, printJson, printText, toType } from '../terminal/print.js'
import { repeatTyped, type TypedCall } from '../terminal/typed-call.js'
import type { StatusFlags } from './commands.js'
import { remember, withPoolSession } from './open-pool.js'
import { chooseReadStores, type ReadStores } from './open-ssh.js'
import { describeStatus } from './status-text.js'

/** Exits 0 when every host verifies, 1 when one does not or verification is off, 2 when it cannot tell. */
export async function trustStatus(root: string, flags: StatusFlags, call: TypedCall): Promise<void> {
  const now = new Date()
  const readStores = await chooseReadStores(flags)
  const { connection, verdicts } = await look(root, { flags, readStores }, now).catch((error: unknown) => {
    throw new CouldNotTell('the pool could not be looked at', { cause: error })
  })
  if (flags.json) printJson(statusDocument(connection, verdicts))
  else {
    const unknownName = flags.poolInsecure ? connection.pool.name : undefined
    const type = (command: string) =>
      toType(unknownName === undefined ? command : repeatTyped(command, call, { unknownName }))
    printText(`${describeStatus(connection, verdicts, now, type)}\n`)
  }
  process.exitCode = exitCodeOf(connection, verdicts)
}

interface Asked {
  readonly flags: StatusFlags
  readonly readStores: ReadStores | undefined
}

function look(root: string, { flags, readStores }: Asked, now: Date) {
  return withPoolSession('trust status', flags, async (session, choice) => {
    const { appliance } = choice
    const known = await readKnownCertificates()
    const connection = await observe(session, {
      applianceRoot: root,
      known,
      now,
      appliance,
      readStores,
    })
    await remember(flags, session, choice, connection.pool)
    return { connection, verdicts: judgeHosts(connection, await proveHosts(session, connection)) }
  })
}

const EXIT_CODES = { yes: EXIT.done, no: EXIT.no, unknown: EXIT.usage } as const

export function exitCodeOf(connection: Connection, verdicts: readonly HostVerdict[]): number {
  return EXIT_CODES[doAllVerify(connection, verdicts)]
}
