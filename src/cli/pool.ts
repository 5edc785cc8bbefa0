/** `wlb pool …`: the pools that have registered. */

import { WlbError } from '../base/error.js'
import { forgetPool } from '../server/index.js'
import type { ForgetFlags } from './commands.js'
import { EXIT, printJson } from './print.js'

/**
 * Asks once, then forgets; a pool that is not there is forgotten already.
 *
 * @throws USAGE_NEEDS_YES when there is nobody to ask.
 */
export async function forget(root: string, uuid: string, flags: ForgetFlags): Promise<void> {
  if (!flags.yes && !(await isSure(uuid))) {
    process.stderr.write('wlb: nothing was changed\n')
    process.exitCode = EXIT.interrupted
    return
  }
  const forgotten = await forgetPool(root, uuid)
  if (flags.json) return printJson({ pool: uuid, forgotten })
  process.stdout.write(
    forgotten
      ? 'Forgotten. To register it again:  xe pool-initialize-wlb ...\n'
      : 'No such pool is registered; nothing was to be done.\n',
  )
}

async function isSure(uuid: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw needsYes(uuid)
  const { confirm } = await import('@clack/prompts')
  const message = `Forget pool ${uuid}: its registration, credentials, configuration and pinned certificates?`
  return (await confirm({ message, initialValue: false })) === true
}

function needsYes(uuid: string): WlbError {
  return new WlbError(
    'USAGE_NEEDS_YES',
    'There is nobody to ask here whether it is meant.',
    { missing: '--yes' },
    `wlb pool forget ${uuid} --yes`,
  )
}
