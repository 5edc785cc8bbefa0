/**
 * A renewal while the pool works (docs/renewal.md): every host is asked, another authority signs, and the certificate is
 * exchanged while a client connects again and again with the trust store of a host.
 */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Outcome } from './stage.js'
import { startSteadyClient } from './steady-client.js'
import { type Cast, type Step, says } from './steps.js'

/** Below the folder the commands are run in. */
const AUTHORITY = 'next-ca'
const FILES = ['signed_cert.pem', 'intermediate_ca.pem', 'root_ca.pem'].map((name) => `${AUTHORITY}/${name}`)

/** `coordinator` is the host that is coordinator now. */
export async function renewalUnderLoad(
  cast: Cast,
  coordinator: { readonly name: string; readonly address: string; readonly tlsPort: number },
): Promise<Step[]> {
  const { stage, hostName, address, port, hosts } = cast
  const served = await readFile(join(stage.root, 'lab', coordinator.name, 'etc/xensource/xapi-ssl.pem'))
  const fingerprint = new X509Certificate(served).fingerprint256
  const watched = hosts.at(-1)?.name ?? coordinator.name
  const pool = [
    ...['--pool', `https://${coordinator.address}:${coordinator.tlsPort}`],
    ...['--password-file', join(stage.root, 'lab/xe-password'), '--pool-fingerprint', fingerprint],
    ...['--appliance', `${address}:${port}`],
  ]
  const shownPool = pool.map((word) => (word === fingerprint ? `${fingerprint.slice(0, 8)}...` : word))
  const here = (title: string, args: readonly string[], show: readonly string[], proves: Step['proves']): Step => ({
    title,
    prompt: '[wlb]#',
    command: `wlb ${args.join(' ')}`.replace(pool.join(' '), shownPool.join(' ')),
    run: () => stage.wlb(...args),
    show,
    proves,
  })
  const passphrase = stage.passwordFile

  return [
    here(
      'Ask every host to connect itself, and the pool what it knows',
      ['trust', 'status', ...pool],
      ['accepted', 'All 3'],
      says('All 3 hosts verify', 'not what the pool believes: what each host found'),
    ),
    here(
      'Years later another authority signs',
      ['ca', 'create', '--dir', AUTHORITY, '--name', 'Next', '--passphrase-file', passphrase, '--yes'],
      ['root: '],
      says('Made.', 'an authority that no host of the pool knows'),
    ),
    here(
      'A new key and a new request',
      [
        ...['cert', 'request', '--new-key', '--country', 'CA', '--state', 'Alberta', '--locality', 'Calgary'],
        ...['--organization', 'Example', '--email', 'wlb@example.com', '--yes'],
      ],
      ['subject:'],
      says('BEGIN CERTIFICATE REQUEST', 'the certificate in service is not touched'),
    ),
    here(
      'It signs',
      ['ca', 'sign', 'csr', '--dir', AUTHORITY, '--passphrase-file', passphrase, '--yes'],
      ['subject: ', 'issuer: '],
      says('Signed.', `a certificate for ${hostName}`),
    ),
    {
      ...here(
        'Exchange it, while a client connects without a pause',
        ['trust', 'renew', ...FILES, ...pool, '--yes'],
        ['client meanwhile', 'done        serve', 'done        uninstall root', 'Every host'],
        ({ exitCode, stdout }: Outcome) =>
          exitCode === 0 && /: [1-9]\d* verified, 0 failed connections/.test(stdout)
            ? 'new root everywhere, proof, exchange, proof, old root gone; nobody noticed'
            : undefined,
      ),
      run: async () => {
        const client = startSteadyClient({ hostRoot: join(stage.root, 'lab', watched), name: hostName, address, port })
        const outcome = await stage.wlb('trust', 'renew', ...FILES, ...pool, '--yes')
        const { verified, failures } = await client.stop()
        const counted = `${watched}'s client meanwhile: ${verified} verified, ${failures.length} failed connections\n`
        return { ...outcome, stdout: `${counted}${outcome.stdout}` }
      },
    },
  ]
}
