/** How a pool's connection to its appliance fails, in the terms its log is read in (docs/protocol/wlb.md). */

export const STUNNEL_INDICATORS = [
  'Configuration failed',
  'Connection refused',
  'No host resolved',
  'No route to host',
  'Invalid argument',
  'Address already in use',
] as const

export type StunnelIndicator = (typeof STUNNEL_INDICATORS)[number]

export type TlsFailure =
  /** The certificate was refused; `reason` is stunnel's text and may be empty. */
  | { readonly kind: 'verify'; readonly reason: string }
  | { readonly kind: 'stunnel'; readonly indicator: StunnelIndicator }
  /** Nothing in the log says why. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'timeout' }

/** Tells OpenSSL's verdicts among the codes of Node's errors: everything of Node and the system begins otherwise. */
export function isVerifyCode(code: string | undefined): code is string {
  return code !== undefined && !/^(E[A-Z]+$|ERR_)/.test(code)
}
