/** Lists what could not be checked, and why. */

import type { View } from './evidence/view.js'
import { listOf } from './wording.js'

const NO_POOL = 'No pool was asked: what its hosts trust, by which name they connect, and what they say is not known.'

export function listNotSeen(view: View): readonly string[] {
  const { pool, evidence } = view
  return [
    ...evidence.notAsked,
    ...(pool ? ofPool(view) : evidence.notAsked.length > 0 ? [] : [NO_POOL]),
    ...ofAppliance(view),
    ...(view.isForecast
      ? ['The time asked about is another: what is installed, served and switched on is taken to be as it is now.']
      : []),
  ]
}

function ofPool(view: View): readonly string[] {
  const { pool, evidence, results, verifies, unknownAnchors, anyVerified, anyConnected, facts, installed } = view
  if (!pool) return []
  const silent = results.filter(({ outcome }) => outcome === 'nothing')
  const refusesCertificate = results.some(
    ({ error: [code] }) => code === 'SSL_VERIFY_ERROR' || code === 'INTERNAL_ERROR',
  )
  return [
    ...reasons(silent),
    ...disksNotSeen(evidence),
    ...(!verifies && anyConnected
      ? [
          'Whether the hosts would verify: while verification is off, a host that connects proves the network and the password alone.',
        ]
      : []),
    ...(unknownAnchors > 0 && !anyVerified
      ? [
          `The contents of ${unknownAnchors} of ${installed.length} installed certificates: the pool tells names, dates and fingerprints.`,
        ]
      : []),
    ...(evidence.crls === undefined
      ? ['Revocation lists: this session may not ask for their names.']
      : evidence.crls.length > 0 && view.disks.size === 0
        ? [`The contents of the revocation lists (${listOf(evidence.crls)}): the pool tells their names.`]
        : []),
    ...(refusesCertificate && !anyConnected
      ? ['Whether the appliance takes the password of the pool: no host gets that far.']
      : []),
    ...(anyConnected && facts === undefined && evidence.appliance
      ? [
          `What the appliance serves: from here it is out of reach (${evidence.appliance.endpoint.state}), and for hosts it is not.`,
        ]
      : []),
  ]
}

/** Without a login, or where a host refused it. */
function disksNotSeen({ hosts, stores }: View['evidence']): readonly string[] {
  const untried = hosts.filter(({ uuid }) => !stores?.has(uuid)).map(({ name }) => name)
  const closed = hosts.flatMap(({ uuid, name }) => {
    const sight = stores?.get(uuid)
    return sight?.state === 'not seen' ? [`What lies on the disk of ${name}: ${sight.why}.`] : []
  })
  if (untried.length === 0) return closed
  return [
    `What lies on the disks of ${listOf(untried)}: a pool shows that to no session. What they say when they connect was asked instead.`,
    ...closed,
  ]
}

function reasons(silent: View['results']): readonly string[] {
  const whys = [...new Set(silent.map(({ why }) => why))]
  return whys.map((why) => {
    const names = silent.filter((result) => result.why === why).map(({ host }) => host.name)
    return `What ${listOf(names)} would say: ${why}.`
  })
}

function ofAppliance({ evidence, served, leaf }: View): readonly string[] {
  const { appliance, local } = evidence
  if (!appliance) return ['The appliance: nobody said where it is.']
  const silent =
    appliance.endpoint.state === 'silent' ||
    (appliance.endpoint.state === 'unreachable' && !appliance.endpoint.indicator)
  return [
    ...(silent
      ? ['Why nothing comes back: a firewall that drops packets and a machine that is off look alike from here.']
      : []),
    ...(local?.isAsked ? [] : ['The files of the appliance: it does not run on this machine.']),
    ...(appliance.endpoint.state === 'refused' && !leaf
      ? ['The certificates of the appliance: no handshake gets that far.']
      : served.length === 0 && appliance.endpoint.state !== 'refused'
        ? ['The certificates of the appliance: none was shown.']
        : []),
  ]
}
