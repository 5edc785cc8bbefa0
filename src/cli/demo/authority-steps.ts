/**
 * The procedure for a certificate signed by an authority (docs/certificate-from-an-authority.md) as a list of steps: request, sign,
 * check, install, served; then the pool is given the authority's certificates.
 */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Outcome } from './stage.js'
import { type Cast, lists, on, quiet, refused, type Step, says } from './steps.js'

export function certificateFromAuthority(cast: Cast): Step[] {
  const { stage, hostName, hosts } = cast
  const [, coordinator] = hosts.map(({ name }) => name) as [string, string]
  const authority = join(stage.root, 'var/lib/openwlb/ca')
  const chain = ['signed_cert.pem', 'intermediate_ca.pem', 'root_ca.pem']
  const ask = ['xe', 'pool-retrieve-wlb-configuration']
  const here = (title: string, args: readonly string[], show: readonly string[], proves: Step['proves']): Step => ({
    title,
    prompt: '[wlb]#',
    command: `wlb ${args.join(' ')}`,
    run: () => stage.wlb(...args),
    show,
    proves,
  })
  const install = (name: string, proof: string) =>
    on(cast, coordinator, `Install ${name}`, ['xe', 'pool-install-ca-certificate', `filename=${name}`], quiet(proof))

  return [
    here(
      'A small authority, for the demo',
      ['ca', 'create', '--passphrase-file', stage.passwordFile, '--yes'],
      ['root: ', 'intermediate: '],
      says('Made.', 'a root and an intermediate, their keys encrypted'),
    ),
    here(
      'On the appliance: a key and a request',
      [
        ...['cert', 'request', '--country', 'CA', '--state', 'Alberta', '--locality', 'Calgary'],
        ...['--organization', 'Example', '--email', 'wlb@example.com', '--yes'],
      ],
      ['-----', 'subject:', 'names:'],
      says('BEGIN CERTIFICATE REQUEST', 'the key waits on the appliance; the request goes to the authority'),
    ),
    here(
      'The authority signs it',
      ['ca', 'sign', 'csr', '--passphrase-file', stage.passwordFile, '--yes'],
      ['subject: ', 'names: ', 'issuer: ', 'valid until: '],
      says('Signed.', `a certificate for ${hostName}, by the intermediate`),
    ),
    {
      title: 'Fetch the three certificates (from a real authority: a download, a mail)',
      prompt: '[wlb]#',
      command: `cp ${chain.map((name) => join(authority, name)).join(' ')} .`,
      run: async () => {
        for (const name of chain) await copyFile(join(authority, name), join(stage.folder, name))
        return { stdout: '', stderr: '', exitCode: 0 }
      },
      proves: quiet('signed certificate, intermediate, root'),
    },
    here(
      'Before anything changes: what would a host with that root say?',
      ['cert', 'check', 'signed_cert.pem', 'intermediate_ca.pem', '--name', hostName, '--trust', 'root_ca.pem'],
      ['ACCEPTED', 'CN='],
      says('ACCEPTED', 'the verdict of a pool, from files alone'),
    ),
    here(
      'And without the intermediate, as it is so often forgotten?',
      ['cert', 'check', 'signed_cert.pem', '--name', hostName, '--trust', 'root_ca.pem'],
      ['REFUSED', '! ', 'the pool says'],
      refusedWith('unable to get local issuer certificate', 'refused, in the very words the pool would use'),
    ),
    here(
      'Install: files in any order, the running appliance takes over',
      ['cert', 'install', 'root_ca.pem', 'signed_cert.pem', 'intermediate_ca.pem', '--yes', '--anyway'],
      ['leaf: ', 'intermediate: ', 'root: ', 'REFUSES', 'served: '],
      says('proved by a handshake', 'nothing was restarted; the pool was named that has to be told first, or now'),
    ),
    on(
      cast,
      coordinator,
      'The pool still trusts only the certificate before',
      ask,
      refused('self-signed certificate in certificate chain', 'a new issuer must be installed in the pool first'),
    ),
    install('root_ca.pem', 'the root, on every host'),
    install('intermediate_ca.pem', 'the intermediate, as the procedure has it; pools that are sent it do not need it'),
    on(
      cast,
      coordinator,
      'Synchronise',
      ['xe', 'pool-certificate-sync'],
      quiet('every host holds the same certificates'),
    ),
    on(cast, coordinator, 'The pool asks again', ask, lists('WlbVersion', 'verified, up to the root of the authority')),
  ]
}

function refusedWith(text: string, why: string): Step['proves'] {
  return ({ exitCode, stdout }: Outcome) => (exitCode === 1 && stdout.includes(text) ? why : undefined)
}
