/** Where an authority's terms of service can be read, before anything else is asked of it. */
import { generateKeyPairSync } from 'node:crypto'
import type { AcmeSettings } from '../../config/acme-settings.js'
import { withAuthority } from './authority.js'

/** Undefined where there are none. @throws what `withAuthority` throws. */
export function readTermsOf(settings: AcmeSettings): Promise<string | undefined> {
  // reading a directory takes no account, and leaves none behind
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const accountKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const signal = new AbortController().signal
  return withAuthority({ settings, accountKey, signal }, async ({ terms }) => terms)
}
