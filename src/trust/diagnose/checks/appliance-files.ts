/** The files of an appliance on this machine: what it will not start with, or should not. */
import { quoteWord, shell } from '../../../base/text/quote-word.js'
import type { LocalFacts, LocalFault } from '../evidence/evidence.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'

const CODES: Readonly<Record<LocalFault['kind'], string>> = {
  'root first': 'ROOT_FIRST',
  joined: 'JOINED_LINES',
  'key of another': 'KEY_OF_ANOTHER',
  'key encrypted': 'KEY_ENCRYPTED',
  'key unreadable': 'KEY_PERMISSIONS',
  other: 'FILES_UNUSABLE',
}

const CAUSES: Readonly<Record<LocalFault['kind'], string>> = {
  'root first': 'The certificates in server.pem begin with the wrong one: the leaf has to come first.',
  joined: 'Certificates in server.pem were joined without a newline between them.',
  'key of another': 'The private key does not belong to any certificate in server.pem.',
  'key encrypted':
    'The private key still has its passphrase, and nobody is there to type it when the appliance starts.',
  'key unreadable': 'The private key cannot be read by this user.',
  other: 'The certificate and key on the disk cannot be served.',
}

export function findFiles({ evidence: { local, appliance } }: View): readonly Draft[] {
  if (!local) return []
  const { fault, keyMode, keyFile } = local
  const isDown = !local.running || appliance?.endpoint.state === 'unreachable'
  if (fault) {
    return [
      {
        code: CODES[fault.kind],
        severity: isDown ? 'error' : 'warning',
        cause: CAUSES[fault.kind],
        evidence: `${fault.message.replace(/\.$/, '')}: ${local.certificateFile}, ${keyFile}; ${
          isDown ? 'nothing is served' : 'the pair from before is served until the next start'
        }`,
        remedy: remedyOf(fault, local),
      },
    ]
  }
  if (keyMode === undefined || (keyMode & 0o077) === 0) return []
  return [
    {
      code: 'KEY_PERMISSIONS',
      cause: 'Others than its owner may read the private key.',
      evidence: `${keyFile} has mode ${(keyMode & 0o777).toString(8)}`,
      remedy: `chmod 600 ${quoteWord(keyFile)}`,
    },
  ]
}

function remedyOf({ kind, remedy }: LocalFault, { certificateFile, keyFile }: LocalFacts): string {
  const [certificate, key] = [quoteWord(certificateFile), quoteWord(keyFile)]
  switch (kind) {
    case 'root first':
      return shell`wlb cert install ${certificateFile} --key ${keyFile}`
    case 'joined':
      return `sed -i 's/----------BEGIN/-----\\n-----BEGIN/g' ${certificate}`
    case 'key encrypted':
      return `openssl rsa -in ${key} -out ${key}.nop && mv ${key}.nop ${key} && chmod 600 ${key}`
    case 'key of another':
      return `openssl x509 -noout -pubkey -in ${certificate}; openssl pkey -pubout -in ${key}`
    case 'key unreadable':
      return `ls -l ${key}; chmod 600 ${key}`
    case 'other':
      return remedy
  }
}
