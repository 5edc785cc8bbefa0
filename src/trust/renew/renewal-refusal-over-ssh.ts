/** Why a renewal over SSH is not begun, or does not go on; the remedies are those of a renewal. */
import { WlbError } from '../../base/error.js'

export function needsFilesOverSsh(): WlbError {
  return new WlbError(
    'RENEW_NEEDS_FILES',
    'Over SSH no key is made: the new certificate and its key have to be given.',
    { missing: 'FILES, --key' },
    'wlb trust renew signed_cert.pem root_ca.pem --key FILE --ssh USER@HOST --manage',
  )
}

export function needsKeyAgain(): WlbError {
  return new WlbError(
    'RENEW_NEEDS_KEY',
    'Over SSH the private key has to be given each time: until it is in service it is kept nowhere but in your file.',
    { missing: '--key' },
    'wlb trust renew --key FILE',
  )
}

export function otherAppliance(
  target: string,
  facts: { readonly file: string; readonly served: string; readonly hasKey: boolean },
): WlbError {
  return new WlbError(
    'RENEW_OTHER_APPLIANCE',
    'What lies on that machine is not what the appliance of the pool serves, or has no key beside it.',
    { target, ...facts },
    'wlb trust fetch USER@HOST --appliance HOST:PORT',
  )
}

/** The appliance is as `wlb trust install` would leave it; what to type is another thing. */
export function switchFailed(error: unknown): unknown {
  if (!(error instanceof WlbError)) return error
  const { code, facts } = error
  if (code === 'MANAGE_INTERRUPTED' || code === 'MANAGE_OVERTAKEN')
    return new WlbError(
      'RENEW_CUT_SHORT',
      'The exchange was cut off on the appliance; the same command finds the note there, and goes on or goes back.',
      { ...facts, cause: code },
      'wlb trust renew',
      error,
    )
  if (code === 'MANAGE_ROLLED_BACK')
    return new WlbError(
      'RENEW_TAKEN_BACK',
      'The appliance did not serve the new certificate; the pair before is back in place and served as before.',
      facts,
      'wlb trust renew --restart-command COMMAND',
      error,
    )
  return error
}
