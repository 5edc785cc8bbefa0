/** What the next start of an appliance on this machine makes of its settings, which a running one does not read again. */
import { shell } from '../../../base/text/quote-word.js'
import type { LocalFacts } from '../evidence/evidence.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { listOf } from '../wording.js'

export function findNextStart({ evidence: { local } }: View): readonly Draft[] {
  if (!local) return []
  const { faults, changed } = local.nextStart
  const [fault] = faults
  if (fault?.code === 'PORT_IN_USE') return [portTaken(local, fault)]
  if (fault) {
    return [
      {
        code: 'SETTINGS_UNUSABLE',
        severity: local.running ? 'warning' : 'error',
        cause: local.running
          ? 'The appliance runs, and its next start fails: what is on disk cannot be used any more.'
          : 'The appliance does not start: what is on disk cannot be used.',
        evidence: faults.map(({ message }) => message).join('; '),
        remedy: fault.remedy,
      },
    ]
  }
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

/** The port in use can be had again; where none is in use, a person decides who gives way. */
function portTaken(local: LocalFacts, { message, remedy }: LocalFacts['nextStart']['faults'][number]): Draft {
  const { running, settingsFile, nextStart } = local
  const isMoved = nextStart.changed.some(({ key }) => key === 'port' || key === 'address')
  return {
    code: 'PORT_TAKEN',
    severity: running ? 'warning' : 'error',
    cause: running
      ? 'The appliance runs, and its next start fails: the settings on disk name a port that another process has.'
      : 'The appliance does not start: another process has its port.',
    evidence: `${settingsFile}: ${message}`,
    remedy: isMoved ? remedyFor(local) : remedy,
  }
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
