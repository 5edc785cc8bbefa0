/**
 * The authority behind the lab's stand-in, as a person meets it who fetches what a remedy names: its issuing certificate of today,
 * its revocation list of today. Its keys lie in the lab's folder.
 */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { issueCrl } from '../../src/x509/index.js'

export interface LabAuthority {
  fetchIntermediate(file: string): void
  fetchList(file: string): Promise<void>
  /** The root as it is since the authority renewed it with another key. */
  fetchNewRoot(file: string): void
}

/** `root`: of the appliance whose lab it is. */
export function labAuthority(root: string): LabAuthority {
  const key = (name: string) => join(root, 'lab/stand-in/keys', `${name}.key`)
  const installedRoot = join(root, 'lab/xs1/etc/stunnel/certs/openwlb-lab-fault-root.pem')
  return {
    fetchIntermediate: (file) => {
      const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
      execFileSync('openssl', [
        ...['req', '-x509', '-new', '-days', '300', '-key', key('issuing'), '-out', file],
        ...[
          '-subj',
          '/O=OpenWLB lab fault/CN=OpenWLB lab fault issuing CA',
          '-CA',
          installedRoot,
          '-CAkey',
          key('root'),
        ],
        ...extensions.flatMap((extension) => ['-addext', extension]),
      ])
    },
    fetchNewRoot: (file) => {
      const name = '/O=OpenWLB lab fault/CN=OpenWLB lab fault root'
      execFileSync('openssl', [
        ...['req', '-x509', '-new', '-days', '300', '-key', key('other-root'), '-out', file, '-subj', name],
        ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
      ])
    },
    fetchList: async (file) => {
      const served = readFileSync(join(root, 'etc/ssl/certs/server.pem'), 'utf8').match(
        /-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g,
      )
      const issuer = new X509Certificate(served?.[1] ?? '')
      const privateKey = createPrivateKey(readFileSync(key('issuing')))
      const order = { revoked: [], number: 2, now: new Date(), lifetimeDays: 30 }
      writeFileSync(file, (await issueCrl({ issuer: { certificate: issuer, privateKey }, ...order })).pem)
    },
  }
}
