/** What the next start of an appliance on this machine makes of its settings, which a running one does not read again. */
import { shell } from '../../../base/text/quote-word.js'
import type { LocalFacts } from '../evidence/evidence.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { listOf } from '../wording.js'

export function findNextStart({ evidence: { local } }: View): readonly Draft[] {
  if (!local) return []
  const [fault] = local.nextStart.faults
  if (fault) {
    return [
      {
        code: 'SETTINGS_UNUSABLE',
        severity: local.running ? 'warning' : 'error',
        cause: local.running
          ? 'The appliance runs, and its next start fails: what is on disk cannot be used any more.'
          : 'The appliance does not start: what is on disk cannot be used.',
        evidence: local.nextStart.faults.map(({ message }) => message).join('; '),
        remedy: fault.remedy,
      },
    ]
  }
  const { changed } = local.nextStart
  if (changed.length === 0) return []
  return [
    {
      code: 'SETTINGS_NOT_IN_USE',
      cause: `The settings on disk are others than those in use, and the next start takes them over${consequences(changed)}.`,
      evidence: `${local.settingsFile}: ${changed.map(({ key, now, next }) => (now === '' ? `another ${key}` : `${key} is ${next}, in use is ${now}`)).join('; ')}`,
      remedy: remedyFor(local),
    },
  ]
}

type Changed = LocalFacts['nextStart']['changed']

function consequences(changed: Changed): string {
  const keys = new Set<string>(changed.map(({ key }) => key))
  const words = [
    ...(keys.has('port') ? ['pools would still connect to the port in use'] : []),
    ...(keys.has('account.password_hash') || keys.has('account.username')
      ? ['pools would present the name and password in use and be refused (row 75)']
      : []),
    ...(keys.has('database') ? ['pools registered in the database in use would be unknown'] : []),
  ]
  return words.length === 0 ? '' : `: ${listOf(words)}`
}

function remedyFor({ nextStart: { changed }, settingsFile }: LocalFacts): string {
  const back = changed.flatMap(({ key, now }) => {
    if (key === 'port') return [setBack(key, now, settingsFile)]
    return key === 'hostname' || key === 'address' ? [setBack(key, `"${now}"`, settingsFile)] : []
  })
  const isAccount = changed.some(({ key }) => key.startsWith('account.'))
  return [...back, ...(isAccount ? ['wlb account password'] : [])].join('; ') || shell`vi ${settingsFile}`
}

/** Sets a key of the settings to another value, as it is written there. */
export function setBack(key: string, value: string, settingsFile: string): string {
  return shell`sed -i ${`s/^${key} *=.*/${key} = ${value}/`} ${settingsFile}`
}
