/**
 * Rows of the failure catalogue that lie on the appliance's side: what a pool meets at the appliance's address, and
 * what the stand-in does to bring it about.
 */
import { randomBytes } from 'node:crypto'
import { askAppliance, hashPassword, paths, readSettings, writeSettings } from '../../config/index.js'
import { keepFiles } from '../stand-in/appliance-files.js'
import type { Twist } from '../stand-in/behaviour.js'
import { notRunning, type StandInOrder, twistStandIn, withStandIn } from '../stand-in/stand-in.js'

interface ApplianceFault {
  readonly row: number
  /** What happens, in one line. */
  readonly what: string
  inject(order: StandInOrder): Promise<void>
}

const TWISTS: readonly (readonly [row: number, what: string, twist: Twist])[] = [
  [1, 'the leaf has expired', { leaf: { dates: 'expired' } }],
  [2, 'the intermediate has expired', { chain: { dates: 'expired' } }],
  [4, 'the leaf is not valid yet', { leaf: { dates: 'not-yet' } }],
  [6, 'the common name is another one, and there is no SAN', { leaf: { names: 'other-common-name' } }],
  [7, 'the common name is right, and the SANs leave it out', { leaf: { names: 'other-alternative-name' } }],
  [14, 'the wildcard is one level too high', { leaf: { names: 'wildcard-too-high' } }],
  [15, 'the intermediate is not sent', { chain: { sent: 'leaf-alone' } }],
  [16, 'the root is sent before the intermediate: accepted', { chain: { sent: 'root-in-the-middle' } }],
  [17, 'the root comes first in server.pem', { broken: 'root-first' }],
  [18, 'the certificates in server.pem are joined without a newline', { broken: 'joined' }],
  [19, 'the root of the chain is not the one installed', { chain: { issuer: 'stranger' } }],
  [20, 'the root has the same name and another key', { chain: { issuer: 'rekeyed' } }],
  [24, 'the certificate is self-signed and not installed', { chain: { issuer: 'itself' } }],
  [25, 'the self-signed certificate was made again since it was installed', { chain: { issuer: 'itself-again' } }],
  [26, 'the self-signed certificate has no authority flags: accepted', { chain: { issuer: 'itself-installed' } }],
  [40, 'the key belongs to another certificate', { broken: 'other-key' }],
  [41, 'the key is still encrypted', { broken: 'encrypted-key' }],
  [42, 'others may read the key', { broken: 'readable-key' }],
  [43, 'the leaf has RSA 1024', { leaf: { key: 'rsa-1024' } }],
  [44, 'the authority has RSA 1024', { chain: { key: 'rsa-1024' } }],
  [45, 'a signature was made with SHA-1', { leaf: { digest: 'SHA-1' } }],
  [46, 'the server key is elliptic', { leaf: { key: 'ec' } }],
  [47, 'the server speaks TLS 1.3 only', { tls: { versions: '1.3-alone' } }],
  [48, 'the server speaks TLS 1.1 at most', { tls: { versions: '1.1-at-most' } }],
  [49, 'the server allows neither of the two suites', { tls: { suites: 'none-of-a-pool' } }],
  [50, 'the server does not allow the curve', { tls: { curves: 'none-of-a-pool' } }],
  [51, 'the server demands a client certificate', { tls: { clientCertificate: 'demanded' } }],
  [52, 'the extended key usage lacks serverAuth', { leaf: { purpose: 'client' } }],
  [53, 'the key usage of the leaf is unfit', { leaf: { usage: 'certificate-signing' } }],
  [54, 'the authority may not sign certificates', { chain: { usage: 'no-certificate-signing' } }],
  [55, 'the intermediate is no authority', { chain: { authority: 'none' } }],
  [56, 'the path is longer than allowed', { chain: { depth: 'too-deep' } }],
  [57, 'the name is outside the name constraints', { chain: { names: 'other-domain' } }],
  [58, 'the leaf is revoked', { leaf: { revoked: true } }],
  [65, 'nobody listens on the port', { transport: 'closed' }],
  [66, 'packets are dropped on the way', { transport: 'silent' }],
  [67, 'no TLS is spoken on the port', { transport: 'plain-http' }],
  [
    69,
    'the name leads to another machine',
    { leaf: { names: 'other-machine' }, chain: { issuer: 'stranger' }, files: 'before' },
  ],
  [71, 'new files are in place, and the old certificate is served', { leaf: { dates: 'expired' }, files: 'renewed' }],
  [74, 'a proxy in between signs a certificate of its own', { chain: { issuer: 'middlebox' }, files: 'before' }],
]

export const APPLIANCE_FAULTS: ReadonlyMap<number, ApplianceFault> = new Map(
  [
    ...TWISTS.map(
      ([row, what, twist]): ApplianceFault => ({ row, what, inject: (order) => twistStandIn({ ...order, twist }) }),
    ),
    { row: 75, what: 'the user or password for the appliance is wrong', inject: changePassword },
  ].map((fault) => [fault.row, fault]),
)

/** Rows of the pool's side that need a special certificate at the address. */
const SERVED_FOR: ReadonlyMap<number, Twist> = new Map<number, Twist>([
  [9, { leaf: { names: 'address-as-name' } }],
  [13, { leaf: { names: 'wildcard' } }],
])

/**
 * Makes the appliance's address serve a faultless certificate of an authority that the pool trusts: it names the full
 * host name and the address, and no short name. For rows of the pool's side that the appliance's own certificate does
 * not suit.
 */
export function serveFromAuthority(order: StandInOrder, row: number): Promise<void> {
  return twistStandIn({ ...order, twist: SERVED_FOR.get(row) ?? {} })
}

/**
 * Row 75: the appliance's password changes and the pool keeps the old one. Nobody knows the new one; clearing restores
 * the settings.
 */
async function changePassword({ root }: StandInOrder): Promise<void> {
  await withStandIn(root, async (layout) => {
    const { settings, controlSocket } = paths(root)
    if ((await askAppliance(controlSocket)) === undefined) throw notRunning(layout)
    await keepFiles(root, layout, ['settings'])
    const passwordHash = await hashPassword(randomBytes(18).toString('base64url'))
    await writeSettings(settings, { ...(await readSettings(settings)), passwordHash })
    await askAppliance(controlSocket, 'POST', '/account')
  })
}
