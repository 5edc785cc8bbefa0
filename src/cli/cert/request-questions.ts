/** The questions of `wlb cert request`: those of openssl req, in its order, each with an explanation and an example. */

import { checkChallengePassword, checkSubjectPart, type RequestSubject } from '../../x509/index.js'
import { promptLine } from '../terminal/ask.js'
import type { RequestFlags } from './commands.js'

/** The parts of the subject; the organizational unit is optional. */
interface SubjectAnswers {
  country: string
  state: string
  locality: string
  organization: string
  organizationalUnit?: string | undefined
  commonName?: string | undefined
  email: string
}

export interface Answers {
  readonly subject: SubjectAnswers
  readonly challengePassword?: string | undefined
  readonly companyName?: string | undefined
}

interface Question {
  readonly field: Exclude<keyof RequestSubject, 'commonName'>
  readonly message: string
  readonly placeholder: string
  readonly isOptional?: boolean
}

const QUESTIONS: readonly Question[] = [
  {
    field: 'country',
    message: 'Country Name: the two letters of your country, CA for Canada or JM for Jamaica',
    placeholder: 'CA',
  },
  { field: 'state', message: 'State or Province Name: in full, where the pool is', placeholder: 'Alberta' },
  { field: 'locality', message: 'Locality Name: the city where the pool is', placeholder: 'Calgary' },
  { field: 'organization', message: 'Organization Name: your company or organization', placeholder: 'Example Inc.' },
  {
    field: 'organizationalUnit',
    message: 'Organizational Unit Name: the department (Enter skips it)',
    placeholder: 'IT',
    isOptional: true,
  },
]
const EMAIL: Question = {
  field: 'email',
  message: 'Email Address: it goes into the certificate, where everybody can read it',
  placeholder: 'admin@example.com',
}

/** Asks for what the options leave open. Undefined when a question was left with Ctrl-C. */
export async function askForRequest(flags: RequestFlags, hostname: string): Promise<Answers | undefined> {
  const { cancel, confirm, intro, isCancel, log, password, text } = await import('@clack/prompts')
  intro('A certificate request for this appliance')
  log.message('What an authority wants to know. Ctrl-C leaves everything as it is.')
  const subject: SubjectAnswers = { country: '', state: '', locality: '', organization: '', email: '' }

  for (const question of QUESTIONS) if (!(await ask(question))) return stop()
  const commonName = await askForName()
  if (commonName === undefined) return stop()
  subject.commonName = commonName
  if (!(await ask(EMAIL))) return stop()

  let { companyName } = flags
  let challengePassword: string | undefined
  if (flags.challengePasswordFile === undefined) {
    const answer = await password({
      message: 'A challenge password, for authorities that want one to revoke the certificate (Enter skips it)',
      validate: (value) => (value ? checkChallengePassword(value) : undefined),
    })
    if (isCancel(answer)) return stop()
    challengePassword = answer || undefined
  }
  if (companyName === undefined) {
    const answer = await text({ message: 'An optional company name (Enter skips it)', defaultValue: '' })
    if (isCancel(answer)) return stop()
    companyName = answer || undefined
  }
  const sure = await confirm({
    message: promptLine(`Make the request for ${commonName} and write it to ${flags.out}?`),
  })
  return sure === true ? { subject, challengePassword, companyName } : stop()

  async function ask({ field, message, placeholder, isOptional = false }: Question): Promise<boolean> {
    const given = flags[field]
    if (given !== undefined) {
      subject[field] = given
      return true
    }
    const answer = await text({
      message,
      placeholder: `such as ${placeholder}`, // grey text alone looks like an answer
      defaultValue: '',
      validate: (value) => (!value && isOptional ? undefined : checkSubjectPart(field, value ?? '')),
    })
    if (isCancel(answer)) return false
    if (answer) subject[field] = answer
    return true
  }

  async function askForName(): Promise<string | undefined> {
    if (flags.commonName !== undefined) return flags.commonName
    const answer = await text({
      message: 'Common Name: the full name of this appliance, exactly as pools connect to it',
      initialValue: hostname,
      validate: (value) =>
        value === hostname || flags.force ? undefined : `It must be ${hostname}, unless you begin again with --force.`,
    })
    return isCancel(answer) ? undefined : answer
  }

  function stop(): undefined {
    cancel('Nothing was changed.')
  }
}
