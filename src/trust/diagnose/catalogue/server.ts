/** Causes on the way to the appliance and in how it listens: network, TLS, its files, passwords, switches. */
import { type Cause, cause, INSTALL_AGAIN, LOOK_AT_SERVER, NEW_CERTIFICATE, RECONNECT } from './cause.js'

const FILES = {
  severity: 'error',
  blame: 'network',
  poolSays: 'WLB_CONNECTION_REFUSED, once it is started anew',
} as const
const HANDSHAKE = { severity: 'error', blame: 'network', poolSays: 'WLB_CONNECTION_RESET' } as const
const NETWORK = { severity: 'error', blame: 'network' } as const
const SEEN_HERE = 'the files of an appliance on this machine'

export const SERVER_CAUSES: readonly Cause[] = [
  cause(
    16,
    'ORDER_UNUSUAL',
    'root sent before the intermediate (accepted)',
    { severity: 'note', blame: 'none', poolSays: 'nothing: it is accepted' },
    {
      seenBy: 'the order in which the certificates are sent',
      remedy: INSTALL_AGAIN,
    },
  ),
  cause(17, 'ROOT_FIRST', 'root first in server.pem', FILES, {
    seenBy: `${SEEN_HERE}: the key belongs to a certificate that is not the first`,
    remedy: INSTALL_AGAIN,
  }),
  cause(18, 'JOINED_LINES', 'certificates joined without a newline', FILES, {
    seenBy: `${SEEN_HERE}: the end of one block and the beginning of the next on one line`,
    remedy: "sed -i 's/-----BEGIN/\\n-----BEGIN/2g; s/----------/-----\\n-----/g' /etc/ssl/certs/server.pem",
  }),
  cause(40, 'KEY_OF_ANOTHER', 'key of another certificate', FILES, {
    seenBy: `${SEEN_HERE}: the key belongs to no certificate in server.pem`,
    remedy:
      'openssl x509 -noout -pubkey -in /etc/ssl/certs/server.pem; openssl pkey -pubout -in /etc/ssl/certs/server.key',
  }),
  cause(41, 'KEY_ENCRYPTED', 'encrypted key left in place', FILES, {
    seenBy: `${SEEN_HERE}: the header of the key`,
    remedy:
      'openssl rsa -in /etc/ssl/certs/server.key -out server.key.nop && mv server.key.nop /etc/ssl/certs/server.key',
  }),
  cause(
    42,
    'KEY_PERMISSIONS',
    'key readable by others, or unreadable',
    { severity: 'warning', blame: 'none' },
    {
      poolSays: 'nothing, or WLB_CONNECTION_REFUSED where it cannot be read',
      seenBy: `${SEEN_HERE}: mode and owner of the key`,
      remedy: 'chmod 600 /etc/ssl/certs/server.key',
    },
  ),
  cause(46, 'KEY_NOT_RSA', 'elliptic server key', HANDSHAKE, {
    seenBy: 'handshakes from here: limits are lifted one by one until the server answers',
    remedy: NEW_CERTIFICATE,
  }),
  cause(47, 'TLS_1_3_ONLY', 'server of TLS 1.3 only', HANDSHAKE, {
    seenBy: 'handshakes from here: TLS 1.2 fails, TLS 1.3 works',
    remedy: LOOK_AT_SERVER,
  }),
  cause(48, 'TLS_TOO_OLD', 'server of TLS 1.1 at most', HANDSHAKE, {
    seenBy: 'handshakes from here: the server answers with an older version',
    remedy: LOOK_AT_SERVER,
  }),
  cause(49, 'NO_COMMON_SUITE', 'server without both cipher suites', HANDSHAKE, {
    seenBy: 'handshakes from here: it works with other suites',
    remedy: LOOK_AT_SERVER,
  }),
  cause(50, 'NO_COMMON_CURVE', 'server without the curve', HANDSHAKE, {
    seenBy: 'handshakes from here: it works with other curves',
    remedy: LOOK_AT_SERVER,
  }),
  cause(51, 'CLIENT_CERTIFICATE_DEMANDED', 'server demands a client certificate', HANDSHAKE, {
    seenBy: 'a handshake from here to its end: the server breaks off when it is given none',
    remedy: LOOK_AT_SERVER,
  }),
  cause(65, 'CONNECTION_REFUSED', 'nobody listens on the port', NETWORK, {
    poolSays: 'WLB_CONNECTION_REFUSED',
    seenBy: 'a connection from here, and what the hosts say',
    remedy: 'wlb serve',
  }),
  cause(66, 'NO_ANSWER', 'packets dropped on the way', NETWORK, {
    poolSays: 'WLB_TIMEOUT: 30.',
    seenBy: 'a connection from here that hangs, and what the hosts say',
    remedy: 'nc -vz -w 5 FQDN 8012',
  }),
  cause(67, 'NOT_TLS', 'no TLS on the port', NETWORK, {
    poolSays: 'WLB_CONNECTION_RESET',
    seenBy: 'the first bytes the server answers with',
    remedy: RECONNECT,
  }),
  cause(68, 'NAME_UNKNOWN', 'name unknown to the coordinator', NETWORK, {
    poolSays: 'WLB_UNKNOWN_HOST; WLB_CONNECTION_RESET with stunnel 5.68 and later',
    seenBy: 'what the hosts say, while the name is known here; a test request of the coordinator to that name',
    remedy: 'getent hosts FQDN',
  }),
  cause(70, 'NO_ROUTE', 'no route to the appliance', NETWORK, {
    poolSays: 'WLB_UNKNOWN_HOST, misleadingly',
    seenBy: 'what the hosts say, while wlb_url has an address or the name is known there',
    remedy: 'ip route get ADDRESS',
  }),
  cause(
    72,
    'VERIFICATION_OFF',
    'verification left off',
    { severity: 'warning', blame: 'none' },
    {
      poolSays: 'nothing: everything works, and nothing is verified',
      seenBy: 'pool.wlb_verify_cert',
      remedy: 'xe pool-param-set wlb-verify-cert=true uuid=UUID',
    },
  ),
  cause(
    73,
    'VERIFICATION_SWITCHED_ON',
    'verification switched on by the pool itself',
    { severity: 'error', blame: 'certificate' },
    {
      poolSays: 'INTERNAL_ERROR: Connection failed: configuration failed.',
      seenBy:
        'both flags are on, and nothing is installed: enabling TLS verification of the pool sets the other one too',
      remedy:
        'scp root@HOST:/etc/ssl/certs/server.pem wlb.pem; xe pool-certificate-install filename=wlb.pem; xe pool-certificate-sync',
    },
  ),
  cause(
    75,
    'APPLIANCE_PASSWORD_WRONG',
    'wrong user or password for the appliance',
    { severity: 'error', blame: 'credentials', poolSays: 'WLB_AUTHENTICATION_FAILED' },
    {
      seenBy: 'what the hosts say',
      remedy:
        'xe pool-initialize-wlb wlb_url=FQDN:8012 wlb_username=USER wlb_password=PASSWORD xenserver_username=USER xenserver_password=PASSWORD',
    },
  ),
  cause(
    76,
    'POOL_PASSWORD_WRONG',
    'wrong user or password for the pool',
    { severity: 'error', blame: 'credentials', poolSays: 'WLB_INTERNAL_ERROR: 4002 or 4021' },
    {
      seenBy: 'what the appliance answers: CredentialsValid in its configuration, or the number of its error',
      remedy:
        'xe pool-initialize-wlb wlb_url=FQDN:8012 wlb_username=USER wlb_password=PASSWORD xenserver_username=USER xenserver_password=PASSWORD',
    },
  ),
  cause(
    77,
    'NOT_IN_USE',
    'not connected, paused or not licensed',
    { severity: 'error', blame: 'none' },
    {
      poolSays: 'WLB_NOT_INITIALIZED, WLB_DISABLED or LICENSE_RESTRICTION',
      seenBy: 'the fields of the pool',
      remedy: 'xe pool-param-set wlb-enabled=true uuid=UUID',
    },
  ),
]

/** What the catalogue has no number for. */
export const FURTHER_CAUSES: readonly Cause[] = [
  cause(
    0,
    'EXPIRES_SOON',
    'a certificate that expires within 30 days',
    { severity: 'note', blame: 'none' },
    {
      poolSays: 'nothing yet',
      seenBy: 'the dates of what is served and of what is installed: within 30, 14 and 7 days',
      remedy: NEW_CERTIFICATE,
    },
  ),
  cause(0, 'URL_INVALID', 'wlb_url that is no address', NETWORK, {
    poolSays: 'WLB_URL_INVALID',
    seenBy: 'the field of the pool, and what the pool says',
    remedy: RECONNECT,
  }),
  cause(0, 'FILES_UNUSABLE', 'certificate or key that cannot be served', FILES, {
    seenBy: SEEN_HERE,
    remedy: 'wlb cert show',
  }),
  cause(0, 'SETTINGS_UNUSABLE', 'settings that the next start fails with', FILES, {
    seenBy: 'openwlb.toml and the sealing key of an appliance on this machine, beside what runs',
    remedy: 'wlb status',
  }),
  cause(0, 'PORT_TAKEN', 'a port that another process has at the next start', FILES, {
    seenBy: 'openwlb.toml of an appliance on this machine, beside the listening sockets of the machine',
    remedy: 'ss -ltnp',
  }),
  cause(
    0,
    'SETTINGS_NOT_IN_USE',
    'settings that the next start takes over',
    { severity: 'warning', blame: 'none' },
    {
      poolSays: 'nothing yet; after the start WLB_CONNECTION_REFUSED or WLB_AUTHENTICATION_FAILED',
      seenBy: 'openwlb.toml of an appliance on this machine, beside what the running one works with',
      remedy: 'wlb status',
    },
  ),
  cause(
    0,
    'ADVICE_REFUSED',
    'switched on, and no advice is to be had',
    { severity: 'note', blame: 'none' },
    {
      poolSays: 'WLB_INTERNAL_ERROR to every question for recommendations',
      seenBy: 'a question for recommendations through a pool whose wlb-enabled is true',
      remedy: 'xe pool-param-set wlb-enabled=false uuid=UUID',
    },
  ),
  cause(0, 'HANDSHAKE_FAILS', 'a handshake that fails in another way', HANDSHAKE, {
    seenBy: 'handshakes from here',
    remedy: LOOK_AT_SERVER,
  }),
  cause(
    0,
    'DEFECT',
    'another defect of a certificate',
    { severity: 'error', blame: 'certificate' },
    {
      poolSays: 'SSL_VERIFY_ERROR, with the text for it',
      seenBy: 'the path as a pool validates it',
      remedy: 'openssl x509 -noout -text -in FILE',
    },
  ),
  cause(0, 'BROKEN_OFF', 'a connection that is broken off', HANDSHAKE, {
    seenBy: 'what the hosts say, while a handshake from here succeeds',
    remedy: 'wlb status',
  }),
  cause(
    0,
    'ODD_ANSWER',
    'an answer of the appliance that the pool does not take',
    { severity: 'error', blame: 'unknown', poolSays: 'WLB_INTERNAL_ERROR or WLB_MALFORMED_RESPONSE' },
    {
      seenBy: 'what the pool says',
      remedy: 'wlb status',
    },
  ),
]
