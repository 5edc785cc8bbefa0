/** The steps of an installation with the commands an operator would have typed (docs/certificate-from-an-authority.md). */
import type { InstallPlan } from './install-plan.js'
import { type AppliancePaths, paths } from './paths.js'

export interface InstallStep {
  readonly id: 'key' | 'merge' | 'back up' | 'move' | 'protect' | 'serve' | 'prove'
  readonly what: string
  /** By hand, as on an appliance of old; here all of it is done at once. */
  readonly command: string
}

/** In order; none where the very pair is in place. */
export function installSteps(root: string, plan: InstallPlan): InstallStep[] {
  if (plan.isInPlace) return []
  const { certificate, key, originalCertificate, originalKey } = paths(root)
  const { source, file, wasEncrypted } = plan.key
  const keyFile = wasEncrypted ? 'privatekey.nop.pem' : file
  return [
    ...(wasEncrypted
      ? [
          {
            id: 'key' as const,
            what: 'take the passphrase off the key: nobody is there to type it when the appliance starts',
            command: `openssl rsa -in ${file} -out privatekey.nop.pem`,
          },
        ]
      : []),
    {
      id: 'merge',
      what: `put ${describeOrder(plan)} into one file, in this order`,
      command: `cat ${[...new Set(plan.places.map((place) => quote(place.file)))].join(' ')} > server.pem`,
    },
    {
      id: 'back up',
      what: 'keep the pair before, here and in the history',
      command: `mv ${certificate} ${originalCertificate}; mv ${key} ${originalKey}`,
    },
    {
      id: 'move',
      what: 'put certificate and key in place, both or neither',
      command:
        source === 'in place'
          ? `mv server.pem ${certificate}; cp -p ${originalKey} ${key}`
          : `mv server.pem ${certificate}; mv ${keyFile} ${key}`,
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
      command: proofCommand(paths(root), plan),
    },
  ]
}

function describeOrder({ chain }: InstallPlan): string {
  const { length } = chain.intermediates
  const middle = length === 0 ? [] : [length === 1 ? 'intermediate' : `${length} intermediates`]
  return ['leaf', ...middle, ...(chain.root ? ['root'] : [])].join(', ')
}

function quote(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function proofCommand({ certificate }: AppliancePaths, { name, port }: InstallPlan): string {
  return `openssl s_client -connect localhost:${port} -servername ${name} </dev/null | openssl x509 -noout -fingerprint -sha256; openssl x509 -noout -fingerprint -sha256 -in ${certificate}`
}
