/**
 * The steps that put a pair in place, with the commands an operator would type (docs/certificate-from-an-authority.md). On this
 * machine WLB does the same without these commands; over SSH the commands themselves are run.
 */
import { quoteFile, quoteWord, shell } from '../../base/text/quote-word.js'
import { type AppliancePaths, paths } from '../../config/index.js'
import type { Chain } from '../../x509/index.js'
import type { KeySource } from './install-key.js'

export type InstallStepId =
  | ('make' | 'key' | 'merge' | 'note' | 'repair' | 'back up' | 'upload certificate' | 'upload key' | 'check')
  | ('move' | 'protect' | 'serve' | 'restart' | 'prove' | 'finish')

export interface InstallStep {
  readonly id: InstallStepId
  readonly what: string
  /** To do it by hand. */
  readonly command: string
  /** What the command reads on its standard input. */
  readonly reads?: 'certificate' | 'key'
}

/** What the steps on this machine depend on. */
export interface LocalInstallation {
  /** What pools connect to. */
  readonly name: string
  readonly port: number
  readonly chain: Chain
  readonly key: InstallKey
  /** Makes `server.pem` of the given files. */
  readonly mergeCommand: string
}

export interface InstallKey {
  readonly source: KeySource
  readonly file: string
  readonly wasEncrypted: boolean
  readonly isInPkcs12: boolean
  /** Its file holds certificates too. */
  readonly isAmongOthers: boolean
}

/** In order, for a pair that is not in place yet. */
export function installSteps(root: string, plan: LocalInstallation): InstallStep[] {
  const place = paths(root)
  const [certificate, key] = [quoteWord(place.certificate), quoteWord(place.key)]
  const [originalCertificate, originalKey] = [quoteWord(place.originalCertificate), quoteWord(place.originalKey)]
  const keyStep = takeOutKey(plan)
  const keyFile = keyStep.length > 0 ? PLAIN_KEY : quoteFile(plan.key.file)
  const isMovedAway = keyStep.length === 0 && plan.key.source === 'in place'
  const isFormer = keyStep.length === 0 && plan.key.source === 'in the history'
  const putKey = isMovedAway ? `cp -p ${originalKey} ${key}` : `${isFormer ? 'cp -p' : 'mv'} ${keyFile} ${key}`
  return [
    ...keyStep,
    {
      id: 'merge',
      what:
        plan.chain.intermediates.length === 0 && !plan.chain.root
          ? 'put the leaf into its file'
          : `put ${describeOrder(plan)} into one file, in this order`,
      command: plan.mergeCommand,
    },
    {
      id: 'back up',
      what: 'keep the pair before, here and in the history',
      command: `mv ${certificate} ${originalCertificate}; mv ${key} ${originalKey}`,
    },
    {
      id: 'move',
      what: 'put certificate and key in place, both or neither',
      command: `mv server.pem ${certificate}; ${putKey}`,
    },
    {
      id: 'protect',
      what: 'make the key readable by its owner only, before it has content',
      command: `chmod 600 ${key}`,
    },
    {
      id: 'serve',
      what: 'serve it from the next handshake on; open connections go on, nothing is killed',
      command: 'killall stunnel; stunnel',
    },
    {
      id: 'prove',
      what: 'prove by a handshake that what is served is what is on disk, or go back to the pair before',
      command: proofCommand(place, plan),
    },
  ]
}

const PLAIN_KEY = 'privatekey.nop.pem'

function takeOutKey({ key }: LocalInstallation): InstallStep[] {
  const { wasEncrypted, isInPkcs12, isAmongOthers } = key
  const file = quoteFile(key.file)
  if (isInPkcs12) {
    const command = `openssl pkcs12 -in ${file} -nocerts -nodes -out ${PLAIN_KEY}`
    return [{ id: 'key', what: 'take the key out of the PKCS#12 file, without a passphrase', command }]
  }
  const command = `openssl rsa -in ${file} -out ${PLAIN_KEY}`
  if (wasEncrypted) {
    const what = 'take the passphrase off the key: nobody is there to type it when the appliance starts'
    return [{ id: 'key', what, command }]
  }
  return isAmongOthers ? [{ id: 'key', what: 'take the key out of the file it shares', command }] : []
}

function describeOrder({ chain }: LocalInstallation): string {
  const { length } = chain.intermediates
  const middle = length === 0 ? [] : [length === 1 ? 'intermediate' : `${length} intermediates`]
  return ['leaf', ...middle, ...(chain.root ? ['root'] : [])].join(', ')
}

function proofCommand({ certificate }: AppliancePaths, { name, port }: LocalInstallation): string {
  const print = 'openssl x509 -noout -fingerprint -sha256'
  const served = `openssl s_client -connect localhost:${port} -servername ${quoteWord(name)} </dev/null | ${print}`
  return `${served}; ${print} -in ${quoteWord(certificate)}`
}

/** In order, for a pair in two files: one that was kept, or a new self-signed one. */
export function replaceSteps(root: string, from: { certificate: string; key: string }): readonly InstallStep[] {
  const { certificate, key, originalCertificate, originalKey } = paths(root)
  const isOriginal = from.certificate === originalCertificate
  const aside = isOriginal ? { certificate: 'server.pem.before', key: 'server.key.before' } : undefined
  return [
    {
      id: 'back up',
      what: 'keep the pair before, here and in the history',
      command: aside
        ? shell`mv ${certificate} ${aside.certificate}; mv ${key} ${aside.key}`
        : shell`mv ${certificate} ${originalCertificate}; mv ${key} ${originalKey}`,
    },
    {
      id: 'move',
      what: 'put certificate and key in place, both or neither, the key for its owner alone',
      command: aside
        ? shell`mv ${from.certificate} ${certificate}; mv ${from.key} ${key}; mv ${aside.certificate} ${originalCertificate}; mv ${aside.key} ${originalKey}; chmod 600 ${key}`
        : shell`cp ${from.certificate} ${certificate}; cp ${from.key} ${key}; chmod 600 ${key}`,
    },
    {
      id: 'serve',
      what: 'serve it from the next handshake on, prove that by a handshake, or go back to the pair before',
      command: 'killall stunnel; stunnel',
    },
  ]
}
