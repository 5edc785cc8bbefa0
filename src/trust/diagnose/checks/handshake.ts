/** Whether pool and appliance agree on how to talk, by handshakes from here. */

import { shell } from '../../../base/text/quote-word.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { subjectOf } from '../wording.js'

const CODES: Readonly<Record<string, string>> = {
  KEY_NOT_RSA: 'KEY_NOT_RSA',
  TLS_1_3_ONLY: 'TLS_1_3_ONLY',
  TLS_TOO_OLD: 'TLS_TOO_OLD',
  NO_COMMON_SUITE: 'NO_COMMON_SUITE',
  NO_COMMON_CURVE: 'NO_COMMON_CURVE',
}

export function findHandshake(view: View): readonly Draft[] {
  const { facts, anyConnected, leaf, name, port } = view
  if (!facts || anyConnected) return []
  const remedy = shell`openssl s_client -connect ${name}:${port} -tls1_2 -curves secp384r1 </dev/null`
  if (facts.state === 'agreed' && facts.clientCertificate === 'demanded') {
    return [
      {
        code: 'CLIENT_CERTIFICATE_DEMANDED',
        cause: 'The server demands a client certificate, and a pool has none: it shows a password.',
        evidence: 'a handshake without one is broken off after the certificates',
        remedy,
      },
    ]
  }
  const [obstacle] = view.judge(view.coordinator)?.obstacles.filter(({ code }) => code !== 'BUNDLE_UNUSABLE') ?? []
  if (facts.state !== 'refused') return []
  const alert = facts.alert === '' ? 'it closes the connection' : `its alert: ${facts.alert}`
  const key =
    leaf && facts.obstacle === 'KEY_NOT_RSA'
      ? `; the key is ${leaf.publicKey.asymmetricKeyType}, ${subjectOf(leaf)}`
      : ''
  return [
    {
      code: CODES[facts.obstacle] ?? 'HANDSHAKE_FAILS',
      cause: obstacle?.message ?? MESSAGES[facts.obstacle] ?? 'The server breaks off whatever it is offered.',
      evidence: `asked as a pool asks, with TLS 1.2, two suites and secp384r1, ${alert}${key}`,
      ...(facts.obstacle === 'KEY_NOT_RSA' ? {} : { remedy }),
    },
  ]
}

/** For servers that have shown no certificate to judge. */
const MESSAGES: Readonly<Record<string, string>> = {
  TLS_1_3_ONLY: 'The server speaks TLS 1.3 alone, and a pool speaks TLS 1.2.',
  TLS_TOO_OLD: 'The server speaks TLS 1.1 at most, and a pool speaks TLS 1.2.',
  NO_COMMON_SUITE: 'The server allows neither of the two suites a pool offers.',
  NO_COMMON_CURVE: 'The server does not allow secp384r1, the one curve a pool offers.',
}
