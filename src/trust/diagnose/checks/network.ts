/** Whether there is a connection at all: from here, and as the hosts say. */

import { isIP } from 'node:net'
import { shell } from '../../../base/text/quote-word.js'
import { formatWlbAddress, parseWlbAddress } from '../../../xapi/index.js'
import type { HostResult, View } from '../evidence/view.js'
import type { Draft } from '../finding.js'
import { errorText, listOf } from '../wording.js'
import { setBack } from './next-start.js'

export function findNetwork(view: View): readonly Draft[] {
  const url = view.pool?.wlbUrl ?? ''
  const broken = view.results.filter(({ error: [code] }) => code !== undefined && NETWORK_CODES.has(code))
  if (url !== '' && !parseWlbAddress(url)) return [urlInvalid(url)]
  const drafts = group(broken).map(([code, results]) => explain(view, code, results))
  const here = view.anyConnected ? [] : seenFromHere(view)
  // what the hosts say counts; what is seen from here says more of the same
  const [first] = drafts
  if (!first) return here
  return drafts.map((draft) => {
    const same = here.find(({ code }) => code === draft.code)
    return same ? { ...draft, evidence: `${draft.evidence}; from here: ${same.evidence}` } : draft
  })
}

/** A reset is explained elsewhere where the handshake does. */
const NETWORK_CODES = new Set([
  'WLB_CONNECTION_REFUSED',
  'WLB_TIMEOUT',
  'WLB_UNKNOWN_HOST',
  'WLB_URL_INVALID',
  'WLB_CONNECTION_RESET',
])

function group(results: readonly HostResult[]): [string, readonly HostResult[]][] {
  const codes = [...new Set(results.map(({ error }) => error[0] ?? ''))]
  return codes.map((code) => [code, results.filter(({ error }) => error[0] === code)])
}

function explain(view: View, code: string, results: readonly HostResult[]): Draft {
  const { name, port, pool } = view
  const url = pool?.wlbUrl ?? ''
  const hosts = results.map(({ host }) => host.name)
  const evidence = `${listOf(hosts)} said ${errorText(results[0]?.error ?? [code])} for ${url}`
  const isRoute = code === 'WLB_UNKNOWN_HOST' && lacksRoute(view)
  const strayed = isRoute ? undefined : strayedHosts(view, code, results, evidence)
  if (strayed) return strayed
  switch (code) {
    case 'WLB_CONNECTION_REFUSED':
      return { code: 'CONNECTION_REFUSED', hosts, evidence, cause: refused(view), remedy: serveRemedy(view) }
    case 'WLB_TIMEOUT':
      return { code: 'NO_ANSWER', hosts, evidence, cause: silent(view), remedy: shell`nc -vz -w 5 ${name} ${port}` }
    case 'WLB_UNKNOWN_HOST':
      return unknownHost(view, hosts, evidence)
    case 'WLB_URL_INVALID':
      return urlInvalid(url)
    default:
      return reset(view, hosts, evidence)
  }
}

const STRAYED: Readonly<Record<string, { readonly code: string; readonly met: string }>> = {
  WLB_CONNECTION_REFUSED: { code: 'CONNECTION_REFUSED', met: 'meet nobody on the port' },
  WLB_TIMEOUT: { code: 'NO_ANSWER', met: 'get no answer' },
  WLB_UNKNOWN_HOST: { code: 'NAME_UNKNOWN', met: 'do not find the address' },
  WLB_CONNECTION_RESET: { code: 'BROKEN_OFF', met: 'are cut off' },
}

/** Other hosts reach the appliance, so it is running: what differs is where the name leads, or the way there. */
function strayedHosts(
  { results: all, name }: View,
  code: string,
  results: readonly HostResult[],
  evidence: string,
): Draft | undefined {
  const fine = all.filter(({ outcome }) => outcome === 'accepted').map(({ host }) => host.name)
  const [first] = results
  const known = STRAYED[code]
  if (fine.length === 0 || !first || !known) return undefined
  const hosts = results.map(({ host }) => host.name)
  return {
    code: known.code,
    hosts,
    cause: `${listOf(hosts)} ${known.met}, while ${listOf(fine)} ${fine.length === 1 ? 'connects' : 'connect'}: the appliance runs, and ${name} leads elsewhere there (/etc/hosts, DNS), or the way is closed.`,
    evidence: `${evidence}; ${listOf(fine)} connected`,
    remedy: shell`ssh ${`root@${first.host.address}`} ${shell`getent hosts ${name}; grep -n ${name} /etc/hosts`}`,
  }
}

function seenFromHere(view: View): readonly Draft[] {
  const { appliance } = view.evidence
  if (!appliance) return []
  const { endpoint } = appliance
  const where = formatWlbAddress(appliance)
  switch (endpoint.state) {
    case 'silent':
      return [
        {
          code: 'NO_ANSWER',
          cause: silent(view),
          evidence: endpoint.connected
            ? `${where} accepts connections and says nothing`
            : `no answer from ${where} within the time, not even a refusal`,
          remedy: shell`nc -vz -w 5 ${appliance.host} ${appliance.port}`,
        },
      ]
    case 'not-tls':
      return [notTls(view, endpoint.firstLine)]
    case 'unreachable':
      return [unreachable(view, where, endpoint.why, endpoint.indicator)]
    default:
      return []
  }
}

function unreachable(view: View, where: string, why: string, indicator: string | undefined): Draft {
  const evidence = `${where}: ${why}`
  switch (indicator) {
    case 'Connection refused':
      return { code: 'CONNECTION_REFUSED', evidence, cause: refused(view), remedy: serveRemedy(view) }
    case 'No host resolved':
      return { code: 'NAME_UNKNOWN', evidence, cause: `Nobody knows the name ${view.name}.`, remedy: lookUp(view) }
    case 'No route to host':
      return { code: 'NO_ROUTE', evidence, cause: 'No way leads to the appliance.', remedy: route(view) }
    default:
      return { code: 'NO_ANSWER', evidence, cause: silent(view), remedy: shell`nc -vz -w 5 ${view.name} ${view.port}` }
  }
}

function lacksRoute({ name, evidence: { appliance, nameOnCoordinator } }: View): boolean {
  const from = appliance?.endpoint
  return (
    isIP(name) !== 0 ||
    nameOnCoordinator === 'known' ||
    (from?.state === 'unreachable' && from.indicator === 'No route to host')
  )
}

/** The pool reports the same error for a name that does not resolve and for an address without a route. */
function unknownHost(view: View, hosts: readonly string[], evidence: string): Draft {
  const { name, evidence: all } = view
  const isRoute = lacksRoute(view)
  const here = all.appliance?.resolved ?? []
  const told = here.length === 0 ? 'it is not known here either' : `here it is ${here.join(', ')}`
  return isRoute
    ? {
        code: 'NO_ROUTE',
        hosts,
        evidence,
        cause: `No way leads from ${listOf(hosts)} to the appliance.`,
        remedy: route(view),
      }
    : {
        code: 'NAME_UNKNOWN',
        hosts,
        cause: `${listOf(hosts)} cannot find out what address ${name} has.`,
        evidence: `${evidence}; ${told}`,
        remedy: lookUp(view),
      }
}

function reset(view: View, hosts: readonly string[], evidence: string): Draft {
  const { facts, name, evidence: all } = view
  if (facts?.state === 'not-tls') return notTls(view, facts.firstLine, evidence)
  const here = all.appliance?.resolved ?? []
  const isName = isIP(name) === 0
  if (isName && (all.nameOnCoordinator === 'unknown' || (here.length === 0 && facts === undefined))) {
    const cause = `${listOf(hosts)} cannot find out what address ${name} has; newer stunnels do not say so.`
    return { code: 'NAME_UNKNOWN', hosts, evidence, cause, remedy: lookUp(view) }
  }
  return {
    code: 'BROKEN_OFF',
    hosts,
    cause:
      'The connection is broken off, and a handshake from here is not: a device on the way, or the appliance itself.',
    evidence,
  }
}

function notTls({ name, port }: View, firstLine: string, quoted?: string): Draft {
  return {
    code: 'NOT_TLS',
    cause: `Something else than TLS answers on port ${port}.`,
    evidence: `${quoted === undefined ? '' : `${quoted}; `}it answers a TLS greeting with "${firstLine}"`,
    remedy: shell`openssl s_client -connect ${name}:${port} -tls1_2 </dev/null`,
  }
}

function refused({ port, evidence: { local } }: View): string {
  if (!local?.isAsked) return `Nobody listens on port ${port} there.`
  if (local.port !== port && local.port !== 0)
    return `The appliance ${local.running ? 'listens' : 'is not running, and is set to listen'} on port ${local.port}, and the pool connects to port ${port}.`
  return local.running
    ? `The appliance runs on this machine, and nobody listens on port ${port} where the pool connects to.`
    : `The appliance is not running: nobody listens on port ${port}.`
}

/** Never one that would end an appliance that serves, or start a second one beside it. */
function serveRemedy({ evidence: { local }, port }: View): string {
  if (!local?.isAsked) return `ss -ltn 'sport = :${port}'`
  if (local.port !== port && local.port !== 0) {
    const back = setBack('port', String(port), local.settingsFile)
    return local.running ? `${back}   # then end wlb serve as you started it, and start it again` : `${back}; wlb serve`
  }
  return local.running ? 'wlb status' : 'wlb serve'
}

function silent({ name, port }: View): string {
  return `Nothing answers at ${name}:${port}: a firewall drops packets on the way, or the appliance is stuck.`
}

function lookUp({ name }: View): string {
  return `getent hosts ${name}`
}

function route({ name, evidence: { appliance } }: View): string {
  return `ip route get ${isIP(name) === 0 ? (appliance?.resolved[0] ?? name) : name}`
}

function urlInvalid(url: string): Draft {
  return {
    code: 'URL_INVALID',
    cause: 'The address the pool has of its appliance is none: it must be NAME:PORT.',
    evidence: `wlb_url is "${url}"`,
  }
}
