/** Causes on the way to the appliance and in how it listens: network, TLS, its files, passwords, switches. */
import { type Cause, LOOK_AT_SERVER, NEW_CERTIFICATE, RECONNECT } from './cause.js'

const FILES = {
  severity: 'error',
  blame: 'network',
  poolSays: 'WLB_CONNECTION_REFUSED, once it is started anew',
} as const
const HANDSHAKE = { severity: 'error', blame: 'network', poolSays: 'WLB_CONNECTION_RESET' } as const
const NETWORK = { severity: 'error', blame: 'network' } as const
const SEEN_HERE = 'the files of an appliance on this machine'

export const SERVER_CAUSES: readonly Cause[] = [
  {
    ...{ row: 16, code: 'ORDER_UNUSUAL', title: 'root sent before the intermediate (accepted)' },
    ...{ severity: 'note', blame: 'none', poolSays: 'nothing: it is accepted' },
    seenBy: 'the order in which the certificates are sent',
    remedy: 'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem',
  },
  {
    ...{ row: 17, code: 'ROOT_FIRST', title: 'root first in server.pem', ...FILES },
    seenBy: `${SEEN_HERE}: the key belongs to a certificate that is not the first`,
    remedy: 'cat signed_cert.pem intermediate_ca.pem root_ca.pem > /etc/ssl/certs/server.pem',
  },
  {
    ...{ row: 18, code: 'JOINED_LINES', title: 'certificates joined without a newline', ...FILES },
    seenBy: `${SEEN_HERE}: the end of one block and the beginning of the next on one line`,
    remedy: "sed -i 's/-----BEGIN/\\n-----BEGIN/2g; s/----------/-----\\n-----/g' /etc/ssl/certs/server.pem",
  },
  {
    ...{ row: 40, code: 'KEY_OF_ANOTHER', title: 'key of another certificate', ...FILES },
    seenBy: `${SEEN_HERE}: the key belongs to no certificate in server.pem`,
    remedy:
      'openssl x509 -noout -pubkey -in /etc/ssl/certs/server.pem; openssl pkey -pubout -in /etc/ssl/certs/server.key',
  },
  {
    ...{ row: 41, code: 'KEY_ENCRYPTED', title: 'encrypted key left in place', ...FILES },
    seenBy: `${SEEN_HERE}: the header of the key`,
    remedy:
      'openssl rsa -in /etc/ssl/certs/server.key -out server.key.nop; mv server.key.nop /etc/ssl/certs/server.key',
  },
  {
    ...{ row: 42, code: 'KEY_PERMISSIONS', title: 'key readable by others, or unreadable' },
    ...{ severity: 'warning', blame: 'none' },
    poolSays: 'nothing, or WLB_CONNECTION_REFUSED where it cannot be read',
    seenBy: `${SEEN_HERE}: mode and owner of the key`,
    remedy: 'chmod 600 /etc/ssl/certs/server.key',
  },
  {
    ...{ row: 46, code: 'KEY_NOT_RSA', title: 'elliptic server key', ...HANDSHAKE },
    seenBy: 'handshakes from here: limits are lifted one by one until the server answers',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 47, code: 'TLS_1_3_ONLY', title: 'server of TLS 1.3 only', ...HANDSHAKE },
    seenBy: 'handshakes from here: TLS 1.2 fails, TLS 1.3 works',
    remedy: LOOK_AT_SERVER,
  },
  {
    ...{ row: 48, code: 'TLS_TOO_OLD', title: 'server of TLS 1.1 at most', ...HANDSHAKE },
    seenBy: 'handshakes from here: the server answers with an older version',
    remedy: LOOK_AT_SERVER,
  },
  {
    ...{ row: 49, code: 'NO_COMMON_SUITE', title: 'server without both cipher suites', ...HANDSHAKE },
    seenBy: 'handshakes from here: it works with other suites',
    remedy: LOOK_AT_SERVER,
  },
  {
    ...{ row: 50, code: 'NO_COMMON_CURVE', title: 'server without the curve', ...HANDSHAKE },
    seenBy: 'handshakes from here: it works with other curves',
    remedy: LOOK_AT_SERVER,
  },
  {
    ...{ row: 51, code: 'CLIENT_CERTIFICATE_DEMANDED', title: 'server demands a client certificate', ...HANDSHAKE },
    seenBy: 'a handshake from here to its end: the server breaks off when it is given none',
    remedy: LOOK_AT_SERVER,
  },
  {
    ...{ row: 65, code: 'CONNECTION_REFUSED', title: 'nobody listens on the port', ...NETWORK },
    poolSays: 'WLB_CONNECTION_REFUSED',
    seenBy: 'a connection from here, and what the hosts say',
    remedy: 'wlb serve',
  },
  {
    ...{ row: 66, code: 'NO_ANSWER', title: 'packets dropped on the way', ...NETWORK },
    poolSays: 'WLB_TIMEOUT: 30.',
    seenBy: 'a connection from here that hangs, and what the hosts say',
    remedy: 'nc -vz -w 5 FQDN 8012',
  },
  {
    ...{ row: 67, code: 'NOT_TLS', title: 'no TLS on the port', ...NETWORK },
    poolSays: 'WLB_CONNECTION_RESET',
    seenBy: 'the first bytes the server answers with',
    remedy: RECONNECT,
  },
  {
    ...{ row: 68, code: 'NAME_UNKNOWN', title: 'name unknown to the coordinator', ...NETWORK },
    poolSays: 'WLB_UNKNOWN_HOST; WLB_CONNECTION_RESET with stunnel 5.68 and later',
    seenBy: 'what the hosts say, while the name is known here; a test request of the coordinator to that name',
    remedy: 'getent hosts FQDN',
  },
  {
    ...{ row: 70, code: 'NO_ROUTE', title: 'no route to the appliance', ...NETWORK },
    poolSays: 'WLB_UNKNOWN_HOST, misleadingly',
    seenBy: 'what the hosts say, while wlb_url has an address or the name is known there',
    remedy: 'ip route get ADDRESS',
  },
  {
    ...{ row: 72, code: 'VERIFICATION_OFF', title: 'verification left off', severity: 'warning', blame: 'none' },
    poolSays: 'nothing: everything works, and nothing is verified',
    seenBy: 'pool.wlb_verify_cert',
    remedy: 'xe pool-param-set wlb-verify-cert=true uuid=UUID',
  },
  {
    ...{ row: 73, code: 'VERIFICATION_SWITCHED_ON', title: 'verification switched on by the pool itself' },
    ...{ severity: 'error', blame: 'certificate' },
    poolSays: 'INTERNAL_ERROR: Connection failed: configuration failed.',
    seenBy: 'both flags are on, and nothing is installed: enabling TLS verification of the pool sets the other one too',
    remedy:
      'scp root@HOST:/etc/ssl/certs/server.pem wlb.pem; xe pool-certificate-install filename=wlb.pem; xe pool-certificate-sync',
  },
  {
    ...{ row: 75, code: 'APPLIANCE_PASSWORD_WRONG', title: 'wrong user or password for the appliance' },
    ...{ severity: 'error', blame: 'credentials', poolSays: 'WLB_AUTHENTICATION_FAILED' },
    seenBy: 'what the hosts say',
    remedy:
      'xe pool-initialize-wlb wlb_url=FQDN:8012 wlb_username=USER wlb_password=PASSWORD xenserver_username=USER xenserver_password=PASSWORD',
  },
  {
    ...{ row: 76, code: 'POOL_PASSWORD_WRONG', title: 'wrong user or password for the pool' },
    ...{ severity: 'error', blame: 'credentials', poolSays: 'WLB_INTERNAL_ERROR: 4002 or 4021' },
    seenBy: 'what the appliance answers: CredentialsValid in its configuration, or the number of its error',
    remedy:
      'xe pool-initialize-wlb wlb_url=FQDN:8012 wlb_username=USER wlb_password=PASSWORD xenserver_username=USER xenserver_password=PASSWORD',
  },
  {
    ...{
      row: 77,
      code: 'NOT_IN_USE',
      title: 'not connected, paused or not licensed',
      severity: 'error',
      blame: 'none',
    },
    poolSays: 'WLB_NOT_INITIALIZED, WLB_DISABLED or LICENSE_RESTRICTION',
    seenBy: 'the fields of the pool',
    remedy: 'xe pool-param-set wlb-enabled=true uuid=UUID',
  },
]

/** What the catalogue has no number for. */
export const FURTHER_CAUSES: readonly Cause[] = [
  {
    ...{
      row: 0,
      code: 'EXPIRES_SOON',
      title: 'a certificate that expires within 30 days',
      severity: 'note',
      blame: 'none',
    },
    poolSays: 'nothing yet',
    seenBy: 'the dates of what is served and of what is installed: within 30, 14 and 7 days',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 0, code: 'URL_INVALID', title: 'wlb_url that is no address', ...NETWORK },
    poolSays: 'WLB_URL_INVALID',
    seenBy: 'the field of the pool, and what the pool says',
    remedy: RECONNECT,
  },
  {
    ...{ row: 0, code: 'FILES_UNUSABLE', title: 'certificate or key that cannot be served', ...FILES },
    seenBy: SEEN_HERE,
    remedy: 'wlb cert show',
  },
  {
    ...{ row: 0, code: 'HANDSHAKE_FAILS', title: 'a handshake that fails in another way', ...HANDSHAKE },
    seenBy: 'handshakes from here',
    remedy: LOOK_AT_SERVER,
  },
  {
    ...{ row: 0, code: 'DEFECT', title: 'another defect of a certificate', severity: 'error', blame: 'certificate' },
    poolSays: 'SSL_VERIFY_ERROR, with the text for it',
    seenBy: 'the path as a pool validates it',
    remedy: 'openssl x509 -noout -text -in FILE',
  },
  {
    ...{ row: 0, code: 'BROKEN_OFF', title: 'a connection that is broken off', ...HANDSHAKE },
    seenBy: 'what the hosts say, while a handshake from here succeeds',
    remedy: 'wlb serve',
  },
  {
    ...{ row: 0, code: 'ODD_ANSWER', title: 'an answer of the appliance that the pool does not take' },
    ...{ severity: 'error', blame: 'unknown', poolSays: 'WLB_INTERNAL_ERROR or WLB_MALFORMED_RESPONSE' },
    seenBy: 'what the pool says',
    remedy: 'wlb status',
  },
]
