/** First contact: a fingerprint is shown, with the command that shows it on the other side, and a person compares. */

/** False where they are not the same, or nobody said they are. Whoever calls this has made sure that somebody is there. */
export async function compareByEye(what: string, fingerprintSha256: string, there: string): Promise<boolean> {
  process.stderr.write(`${what} has the SHA-256 fingerprint\n  ${fingerprintSha256}\n${there}\n`)
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message: 'Is it the same there?', initialValue: false })) === true
}

export const ON_THE_APPLIANCE =
  'On the appliance:  openssl x509 -in /etc/ssl/certs/server.pem -noout -fingerprint -sha256'
