/** `wlb cert self-signed`: a new self-signed certificate, with another name, key or lifetime. */

import { X509Certificate } from 'node:crypto'
import { visibleLine } from '../../base/text/printable.js'
import { quoteWord, shell } from '../../base/text/quote-word.js'
import { paths } from '../../config/index.js'
import {
  type InstallStep,
  planSelfSigned,
  replaceIdentity,
  replacementDocument,
  replaceSteps,
  type SelfSignedPlan,
} from '../../identity/index.js'
import { describeCertificate } from '../../x509/index.js'
import { printJson, printNote, printText, renderFacts, toType } from '../terminal/print.js'
import type { SelfSignedFlags } from './commands.js'
import { describeReplacement, renderSteps } from './install-text.js'
import { describePools, isSureOfPools, lookAtPools, poolsDocument } from './pools-first.js'

/** @throws USAGE_NEEDS_YES, POOLS_WOULD_REFUSE, and what `planSelfSigned` and `replaceIdentity` throw. */
export async function certSelfSigned(root: string, flags: SelfSignedFlags): Promise<void> {
  const now = new Date()
  const choices = {
    ...(flags.hostname !== undefined && { hostname: flags.hostname }),
    ...(flags.days !== undefined && { days: flags.days }),
    ...(flags.keyBits !== undefined && { keyBits: Number(flags.keyBits) }),
  }
  const plan = await planSelfSigned(root, choices, now)
  const steps = stepsOf(root, plan)
  const show = flags.json ? printNote : printText
  show(`${describePlan(plan, steps)}\n`)
  const onStep = (step: string) => printNote(`${visibleLine(step)} ...\n`)
  onStep('make')
  const identity = await plan.make()
  const ahead = await lookAtPools(root, identity.certificatePem)
  for (const line of describePools(ahead, RENEWAL, root)) show(`${line}\n`)
  if (flags.dryRun) {
    const { hostname, addresses, days, keyBits } = plan
    if (flags.json)
      printJson({
        state: 'planned',
        hostname,
        addresses,
        days,
        keyBits,
        steps: steps.map(({ what, command }) => ({ what, command })),
        ...poolsDocument(ahead),
      })
    return
  }
  const sure = await isSureOfPools(ahead, {
    question: `Replace the certificate in place by a self-signed one for ${plan.hostname}?`,
    command: commandOf(flags),
    renewal: RENEWAL,
    root,
    flags,
  })
  if (!sure) return
  const done = await replaceIdentity(root, identity, { how: 'self-signed', now, onStep })
  if (flags.json) {
    const summary = describeCertificate(new X509Certificate(identity.certificatePem))
    printJson({ ...replacementDocument(done), identity: summary, ...poolsDocument(ahead) })
  } else printText(`\n${describeReplacement(root, done)}\n\n${nextOnThePool(root)}\n`)
}

/** Makes a self-signed certificate anew too, where the one in place is one. */
const RENEWAL = 'wlb trust renew'

/** The command that was typed, to be typed again. */
function commandOf({ hostname, days, keyBits }: SelfSignedFlags): string {
  const given = [
    ...(hostname === undefined ? [] : ['--hostname', quoteWord(hostname)]),
    ...(days === undefined ? [] : ['--days', String(days)]),
    ...(keyBits === undefined ? [] : ['--key-bits', keyBits]),
  ]
  return ['wlb cert self-signed', ...given].join(' ')
}

function stepsOf(root: string, { hostname, days, keyBits }: SelfSignedPlan): readonly InstallStep[] {
  const make = shell`openssl req -x509 -newkey rsa:${keyBits} -nodes -days ${days} -subj /CN=${hostname} -addext subjectAltName=DNS:${hostname} -keyout server.key -out server.pem`
  return [
    { id: 'make', what: 'make a key and a certificate signed with it', command: make },
    ...replaceSteps(root, { certificate: 'server.pem', key: 'server.key' }),
  ]
}

function describePlan(plan: SelfSignedPlan, steps: readonly InstallStep[]): string {
  const { hostname, configuredHostname, addresses, days, keyBits } = plan
  return [
    renderFacts([
      ['name', hostname],
      ...(addresses.length > 0 ? [['addresses', addresses.join(', ')] as [string, string]] : []),
      ['days', String(days)],
      ['key', `RSA ${keyBits}`],
    ]),
    ...(hostname === configuredHostname
      ? []
      : ['', `Note: the configured host name stays ${configuredHostname}; pools must connect to ${hostname}.`]),
    '',
    renderSteps(steps),
  ].join('\n')
}

/** A self-signed certificate is its own trust anchor: the pool needs the new one before it can verify again. */
function nextOnThePool(root: string): string {
  return [
    "A pool that verifies refuses it until it is installed there. Next, on the pool's coordinator:",
    shell`  scp root@<appliance>:${paths(root).certificate} wlb-new.pem`,
    '  xe pool-certificate-install filename=wlb-new.pem',
    '  xe pool-certificate-sync',
    `Compare the fingerprint:  ${toType('wlb cert show', root)}`,
  ].join('\n')
}
