/** First contact: a fingerprint is shown, with the command that shows it on the other side, and a person compares. */
import { WlbError } from '../../base/error.js'

/** Where the same fingerprint can be had another way. */
export interface OtherSide {
  readonly place: string
  readonly command: string
}

/**
 * False where they are not the same. Whoever calls this has made sure that somebody is there.
 *
 * @throws INTERRUPTED when the question was left by Ctrl-C.
 */
export async function compareByEye(what: string, fingerprintSha256: string, there: OtherSide): Promise<boolean> {
  const { place, command } = there
  process.stderr.write(`${what} has the SHA-256 fingerprint\n  ${fingerprintSha256}\n${place}:  ${command}\n`)
  const { confirm, isCancel } = await import('@clack/prompts')
  const answer = await confirm({ message: 'Is it the same there?', initialValue: false, output: process.stderr })
  if (isCancel(answer)) throw interrupted(fingerprintSha256, there)
  return answer
}

export const ON_THE_APPLIANCE: OtherSide = {
  place: 'On the appliance',
  command: 'openssl x509 -in /etc/ssl/certs/server.pem -noout -fingerprint -sha256',
}

function interrupted(seen: string, { place, command }: OtherSide): WlbError {
  return new WlbError(
    'INTERRUPTED',
    'The fingerprints were not compared; nothing was changed.',
    { seen },
    `${command}, ${place.charAt(0).toLowerCase()}${place.slice(1)}`,
  )
}
