/** `wlb pool …`: the pools that have registered. */

import { shell } from '../base/text/quote-word.js'
import { forgetPool } from '../server/index.js'
import type { ForgetFlags } from './commands.js'
import { isSure } from './terminal/ask.js'
import { printJson, printText } from './terminal/print.js'

/**
 * Asks once, then forgets; a pool that is not there is forgotten already.
 *
 * @throws USAGE_NEEDS_YES when there is nobody to ask.
 */
export async function forget(root: string, uuid: string, flags: ForgetFlags): Promise<void> {
  const question = `Forget pool ${uuid}: its registration, credentials, configuration and pinned certificates?`
  if (!(await isSure(question, { command: shell`wlb pool forget ${uuid}`, yes: flags.yes, isFinal: true }))) return
  const forgotten = await forgetPool(root, uuid)
  if (flags.json) return printJson({ pool: uuid, forgotten })
  printText(
    forgotten
      ? 'Forgotten. To register it again:  xe pool-initialize-wlb ...\n'
      : 'No such pool is registered; nothing was to be done.\n',
  )
}
