/** What a certificate is made of and may be used for, and every defect without a row. */
import { DEFECTS, readFacts } from '../../../x509/index.js'
import type { View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { type Flaw, hostsOf, quoteHosts } from '../flaw.js'
import { subjectOf } from '../wording.js'

const CODES: Readonly<Record<string, string>> = {
  LEAF_KEY_TOO_WEAK: 'LEAF_KEY_WEAK',
  AUTHORITY_KEY_TOO_WEAK: 'AUTHORITY_KEY_WEAK',
  DIGEST_TOO_WEAK: 'SIGNATURE_WEAK',
  PATH_TOO_LONG: 'PATH_TOO_LONG',
  NAME_NOT_PERMITTED: 'NAME_CONSTRAINED',
  NAME_EXCLUDED: 'NAME_CONSTRAINED',
}

export function explainQuality(view: View, flaw: Flaw): readonly Draft[] {
  const { code, certificate, message } = flaw
  const hosts = hostsOf(view, flaw)
  const described = Object.entries(DEFECTS).find(([name]) => name === code)?.[1]
  const which = certificate ? subjectOf(certificate) : 'A certificate on the path of the appliance'
  const cause = `${which} ${described?.message ?? `has a defect: ${code}`}.`
  const found = message.startsWith(cause.slice(0, -1)) ? message.slice(cause.length - 1) : message
  const evidence = [placeOf(flaw), found.replace(/^: |\.$/g, ''), quoteHosts(flaw)].filter(Boolean).join('; ')
  return [{ code: CODES[code] ?? usageCode(flaw) ?? code, hosts, cause, evidence, ...remedyOf(code) }]
}

/** Which certificate of the path, counted from the leaf. */
function placeOf({ depth, fromStore, code }: Flaw): string {
  if (depth === undefined) return code
  return `certificate ${depth} of the path, ${fromStore ? 'installed' : 'sent by the server'}`
}

function usageCode({ code, certificate, depth }: Flaw): string | undefined {
  const facts = certificate && readFacts(certificate)
  if (code === 'AUTHORITY_INVALID') {
    return facts?.basicConstraints?.ca ? 'AUTHORITY_MAY_NOT_SIGN' : 'ISSUER_IS_NO_AUTHORITY'
  }
  if (code !== 'PURPOSE_UNSUITABLE') return undefined
  if (depth !== 0 && certificate) return 'PURPOSE_NOT_SERVER'
  const usages = facts?.extendedKeyUsage
  return usages && !usages.includes(SERVER_AUTH) ? 'PURPOSE_NOT_SERVER' : 'USAGE_UNFIT'
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

function remedyOf(code: string): { readonly remedy?: string } {
  if (code in CODES || code === 'PURPOSE_UNSUITABLE' || code === 'AUTHORITY_INVALID') return {}
  const described = Object.entries(DEFECTS).find(([name]) => name === code)?.[1]
  return described ? { remedy: described.remedy } : {}
}
