/** Says that a host name is not, or no longer, in the certificate. */
import type { MissingName } from '../../identity/index.js'

/** One line each, for a list of facts. */
export function describeMissingNames(missing: readonly MissingName[]): [label: string, value: string][] {
  return missing.map(({ of, name }) =>
    of === 'settings'
      ? ['NOT in it', `${name}, the configured host name: pools that verify and connect to it refuse this certificate`]
      : ['not in it', `${name}, the name of this machine: pools must not connect to it by that name`],
  )
}
