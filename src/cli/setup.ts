/** `wlb setup`: the configuration wizard. It asks questions with default answers, or takes all answers from options. */

import { visible, visibleLine } from '../base/text/printable.js'
import { checkChoice, checkPassword } from '../config/index.js'
import { type SetupOptions, type SetupReport, setUp, suggestSetup } from '../server/index.js'
import type { SetupFlags } from './commands.js'
import { fail } from './errors.js'
import { askNewSecret, isAtTerminal, promptLine, readSecretFile, sayNothingChanged } from './terminal/ask.js'
import { printJson, printNote, printText, renderFacts, toType } from './terminal/print.js'

const EXAMPLE = 'wlb setup --hostname wlb.example.com --password-file FILE --yes'

/**
 * @throws USAGE_NEEDS_ANSWERS when an answer is missing and there is no terminal.
 * @throws PASSWORD_FILE_UNREADABLE, and everything the set-up itself throws.
 */
export async function setup(root: string, flags: SetupFlags): Promise<void> {
  const suggestion = await suggestSetup(root)
  const given: SetupOptions = {
    root,
    now: new Date(),
    ...(flags.hostname !== undefined && { hostname: flags.hostname }),
    ...(flags.address !== undefined && { address: flags.address }),
    ...(flags.port !== undefined && { port: flags.port }),
    ...(flags.username !== undefined && { userName: flags.username }),
    databaseUrl: flags.database,
    password: await readSecretFile(flags.passwordFile),
  }
  const options = suggestion.configured ? given : await complete(given, suggestion, flags.yes ?? false)
  if (!options) return sayNothingChanged()
  const report = await setUp({ ...options, onItem: (item) => printNote(`${item} ...\n`) })
  if (flags.json) printJson(report)
  else printText(`${describe(visible(report))}\n`)
}

/** Takes defaults with `--yes`, asks at a terminal, and otherwise refuses the call: it never waits for an answer. */
async function complete(
  given: SetupOptions,
  suggestion: Awaited<ReturnType<typeof suggestSetup>>,
  yes: boolean,
): Promise<SetupOptions | undefined> {
  const { hostname, address, port, userName } = suggestion
  if (!yes && isAtTerminal()) return ask(given, suggestion)
  if (!yes) throw fail('USAGE_NEEDS_ANSWERS', { missing: '--yes', command: EXAMPLE })
  if (given.password === undefined) throw fail('USAGE_NEEDS_ANSWERS', { missing: '--password-file', command: EXAMPLE })
  return { hostname, address, port, userName, ...given }
}

async function ask(
  given: SetupOptions,
  suggestion: Awaited<ReturnType<typeof suggestSetup>>,
): Promise<SetupOptions | undefined> {
  const { cancel, confirm, intro, isCancel, log, text } = await import('@clack/prompts')
  intro('Workload Balancing: configuration')
  log.message('Enter takes the answer shown. Ctrl-C leaves everything as it is.')
  const answers: { -readonly [Name in keyof SetupOptions]: SetupOptions[Name] } = { ...given }

  const question = async (name: 'hostname' | 'address' | 'userName', message: string) => {
    if (given[name] !== undefined) return true
    const initialValue = suggestion[name]
    const answer = await text({ message, initialValue, validate: (value) => checkChoice(name, value) })
    if (isCancel(answer)) return false
    answers[name] = answer
    return true
  }
  if (!(await question('hostname', 'Host name: the full name pools will connect to; it goes into the certificate')))
    return stop()
  if (!(await question('address', 'Address to listen on: 0.0.0.0 is every address of this machine'))) return stop()
  if (given.port === undefined) {
    const initialValue = String(suggestion.port)
    const answer = await text({
      message: 'Port',
      initialValue,
      validate: (value) => checkChoice('port', Number(value)),
    })
    if (isCancel(answer)) return stop()
    answers.port = Number(answer)
  }
  if (!(await question('userName', 'User name pools will present'))) return stop()
  if (given.password === undefined) {
    const secret = await askNewSecret('Password pools will present', checkPassword)
    if (secret === undefined) return stop()
    answers.password = secret
  }
  const sure = await confirm({
    message: promptLine(`Set up ${answers.hostname} on ${answers.address} port ${answers.port} in ${given.root}?`),
  })
  return sure === true ? answers : stop()

  function stop(): undefined {
    cancel('Nothing was changed.')
  }
}

function describe({ hostname, address, port, userName, identity, items, notApplied, root }: SetupReport): string {
  const kept = items.every(({ outcome }) => outcome === 'kept')
  return [
    kept ? 'Already set up; everything was kept.' : 'Set up.',
    '',
    renderFacts([
      ['host name', hostname],
      ['listens on', `${address} port ${port}`],
      ['user name', userName],
      [
        'certificate',
        `${identity.subject}, ${identity.selfSigned ? 'self-signed' : `issued by ${identity.issuer}`}, until ${identity.notAfter.toISOString()}`,
      ],
      ['names in it', identity.names.join(', ')],
      ['SHA-256', identity.fingerprintSha256],
      ...items.map(({ item, outcome, path }): [string, string] => [item, `${outcome}: ${path}`]),
    ]),
    ...notApplied.map(({ choice, kept: value }) =>
      choice === 'password'
        ? `\nNot changed: the password stays ${value}. To change it:  ${toType('wlb account password', root)}`
        : `\nNot changed: ${choice} stays ${value}. Edit ${visibleLine(`${root}/etc/openwlb/openwlb.toml`)} and start it again to change it.`,
    ),
    '',
    ...(identity.selfSigned
      ? ['The self-signed certificate is a placeholder: for more than a test, use one that an authority has signed.']
      : []),
    `Start it:  ${toType('wlb serve', root)}`,
  ].join('\n')
}
