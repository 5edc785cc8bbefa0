/**
 * The self-signed procedure (docs/connect.md) as a list of steps: what an operator types and where, the expected outcome, and
 * what that proves. A step with another outcome fails the demo.
 */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Outcome, Stage } from './stage.js'

export interface Step {
  readonly title: string
  readonly prompt: string
  readonly command: string
  run(): Promise<Outcome>
  /** Only lines that contain one of these are shown. */
  readonly show?: readonly string[]
  /** All lines are shown, however many they are. */
  readonly isWhole?: boolean
  /** What the outcome proves, or undefined where it is not what the step promises. */
  proves(outcome: Outcome): string | undefined
}

export interface Cast {
  readonly stage: Stage
  readonly hostName: string
  readonly address: string
  readonly port: number
  readonly pool: string
  readonly poolUser: string
  readonly poolPassword: string
  readonly hosts: readonly { readonly name: string; readonly uuid: string }[]
}

export function verifiedConnection(cast: Cast): Step[] {
  const { stage, hostName, address, port, pool, hosts } = cast
  const here = (host: string, title: string, args: readonly string[], proves: Step['proves'], shown = args) =>
    on(cast, host, title, args, proves, shown)
  const [coordinator, second, third] = hosts.map(({ name }) => name) as [string, string, string]
  const successor = hosts[1]?.uuid ?? ''

  const setVerify = (value: boolean) => ['xe', 'pool-param-set', `wlb-verify-cert=${value}`, `uuid=${pool}`]
  const connect = (name: string, password: string, poolPassword: string) => [
    'xe',
    'pool-initialize-wlb',
    `wlb_url=${name}:${port}`,
    'wlb_username=wlbuser',
    `wlb_password=${password}`,
    `xenserver_username=${cast.poolUser}`,
    `xenserver_password=${poolPassword}`,
  ]
  const connectBy = (host: string, title: string, name: string, proves: Step['proves']) =>
    here(host, title, connect(name, stage.password, cast.poolPassword), proves, connect(name, '******', '******'))
  const ask = ['xe', 'pool-retrieve-wlb-configuration']
  const list = ['xe', 'pool-certificate-list']

  return [
    here(
      coordinator,
      'Verification is on in a new pool; switch it off to see a connection without it',
      setVerify(false),
      quiet('nothing is verified from here on'),
    ),
    connectBy(
      coordinator,
      'Connect without verification',
      hostName,
      quiet('connected, and NOT verified: anybody could have answered'),
    ),
    here(
      coordinator,
      'Verification on, before any certificate is installed',
      setVerify(true),
      quiet('the flag is set; no host trusts anything yet'),
    ),
    here(
      coordinator,
      'The pool now refuses its appliance',
      ask,
      refused(
        'Connection failed: configuration failed.',
        'without an installed certificate the TLS client does not even start; the error never says "certificate"',
      ),
    ),
    {
      title: 'Copy the certificate (from a real appliance: scp root@<appliance>:/etc/ssl/certs/server.pem wlb.pem)',
      prompt: `[${coordinator}]#`,
      command: `cp ${join(stage.root, 'etc/ssl/certs/server.pem')} wlb.pem`,
      run: async () => {
        await copyFile(join(stage.root, 'etc/ssl/certs/server.pem'), join(stage.folder, 'wlb.pem'))
        return { stdout: '', stderr: '', exitCode: 0 }
      },
      proves: quiet('one certificate, and no key: the key never leaves the appliance'),
    },
    here(
      coordinator,
      'Install it',
      ['xe', 'pool-certificate-install', 'filename=wlb.pem'],
      quiet('installed on the coordinator and copied to every member'),
    ),
    here(coordinator, 'See it', list, lists('wlb.pem', 'the pool lists it')),
    here(
      coordinator,
      'Synchronise every host with the coordinator',
      ['xe', 'pool-certificate-sync'],
      quiet('every host now holds the same certificates'),
    ),
    here(coordinator, 'Verification on', setVerify(true), quiet('every connection is verified from here on')),
    here(second, 'See it on another host', list, lists('wlb.pem', 'asked on a member, answered by the coordinator')),
    here(third, 'And on the third', list, lists('wlb.pem', 'the same answer')),
    here(
      coordinator,
      'See the flag',
      ['xe', 'pool-param-get', 'param-name=wlb-verify-cert', `uuid=${pool}`],
      lists('true', 'verification is on'),
    ),
    connectBy(coordinator, 'Connect again, by host name', hostName, quiet('connected, and VERIFIED: chain and name')),
    here(
      coordinator,
      'Ask the appliance something over it',
      ask,
      lists('WlbVersion', 'an answer over the verified connection'),
    ),
    connectBy(
      coordinator,
      'The same by IP address',
      address,
      refused('Subject checks failed', 'pools compare names only; an address in the certificate is not looked at'),
    ),
    here(
      coordinator,
      'Make another host coordinator',
      ['xe', 'pool-designate-new-master', `host-uuid=${successor}`],
      quiet(`${second} is coordinator`),
    ),
    here(
      second,
      'The new coordinator asks the appliance',
      ask,
      lists('WlbVersion', `${second} verifies with its own trust store: the sync reached it`),
    ),
  ]
}

/** A command typed on a host of the pool; `shown` is printed instead of secrets. */
export function on(
  { stage }: Cast,
  host: string,
  title: string,
  args: readonly string[],
  proves: Step['proves'],
  shown = args,
): Step {
  return {
    title,
    prompt: `[${host}]#`,
    command: shown.join(' '),
    run: () => stage.wlb('lab', 'exec', host, '--', ...args),
    proves,
  }
}

export function quiet(proof: string): Step['proves'] {
  return ({ exitCode, stdout }) => (exitCode === 0 && stdout === '' ? proof : undefined)
}

export function lists(text: string, proof: string): Step['proves'] {
  return ({ exitCode, stdout }) => (exitCode === 0 && stdout.includes(text) ? proof : undefined)
}

export function refused(text: string, why: string): Step['proves'] {
  return ({ exitCode, stderr }) => (exitCode === 1 && stderr.includes(text) ? why : undefined)
}

export function says(text: string, proof: string): Step['proves'] {
  return ({ exitCode, stdout }) => (exitCode === 0 && stdout.includes(text) ? proof : undefined)
}
