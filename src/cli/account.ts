/** `wlb account …`: the name and password that pools present to this appliance. */

import { counted } from '../base/text/counted.js'
import { checkPassword } from '../config/index.js'
import {
  type AccountReport,
  changePassword,
  describeAccount,
  type PasswordChange,
  suggestSetup,
} from '../server/index.js'
import type { PasswordFlags } from './commands.js'
import { fail } from './errors.js'
import { askNewSecret, isAtTerminal, readSecretFile, sayNothingChanged } from './terminal/ask.js'
import { printJson, printText, renderFacts, toType } from './terminal/print.js'

export async function accountShow(root: string, json = false): Promise<void> {
  const account = await describeAccount(root)
  if (json) return printJson(documentOf(account))
  printText(`${describe(account, root)}\n`)
}

/** @throws USAGE_NEEDS_ANSWERS when there is nobody to ask for the password, and what `changePassword` throws. */
export async function accountPassword(root: string, flags: PasswordFlags): Promise<void> {
  const password = (await readSecretFile(flags.passwordFile)) ?? (await ask())
  if (password === undefined) return sayNothingChanged()
  const change = await changePassword(root, password)
  if (flags.json) return printJson({ state: change.state, ...documentOf(change) })
  printText(`${await describeChange(change, root)}\n`)
}

async function ask(): Promise<string | undefined> {
  if (!isAtTerminal())
    throw fail('USAGE_NEEDS_ANSWERS', {
      missing: '--password-file',
      command: 'wlb account password --password-file FILE',
    })
  return askNewSecret('New password that pools will present', checkPassword)
}

function documentOf({ userName, settingsFile, isInService, pools }: AccountReport): object {
  return { username: userName, settingsFile, inService: isInService, pools: pools?.map(({ uuid }) => uuid) ?? null }
}

function describe({ userName, settingsFile, isInService, pools }: AccountReport, root: string): string {
  const service =
    isInService === null
      ? 'from the next start on'
      : isInService
        ? 'now'
        : `NOT YET: the running appliance takes another one; to set it for both:  ${toType('wlb account password', root)}`
  return renderFacts([
    ['user name', userName],
    ['password', `its hash is in ${settingsFile}`],
    ['in service', service],
    ['presented by', pools ? counted(pools.length, 'registered pool') : 'not known while the appliance is stopped'],
  ])
}

async function describeChange({ state, ...account }: PasswordChange, root: string): Promise<string> {
  const { pools, isInService } = account
  const done =
    state === 'already so'
      ? 'Already so; nothing was changed.'
      : `Changed; it counts ${isInService ? 'from now on' : 'from the next start on'}.`
  const facts = [done, '', describe(account, root)]
  if (state === 'already so' || pools?.length === 0) return facts.join('\n')
  const { hostname, port } = await suggestSetup(root)
  return [
    ...facts,
    '',
    'Pools still present the password before, and are refused until they are connected again (docs/causes.md, row 75).',
    pools ? 'On the coordinator of each:' : 'On the coordinator of every pool that is registered:',
    ...(pools ?? []).map(({ uuid, coordinatorAddress }) => `  ${coordinatorAddress}  (pool ${uuid})`),
    `  xe pool-initialize-wlb wlb_url=${hostname}:${port} wlb_username=${account.userName} wlb_password=... xenserver_username=... xenserver_password=...`,
  ].join('\n')
}
