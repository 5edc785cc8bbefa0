/** Causes in what the hosts trust: nothing, the wrong one, another one than the rest. */
import {
  ANEW,
  type Cause,
  cause,
  INSTALL_ROOT,
  INSTALL_WITH_ISSUER,
  NEW_CERTIFICATE,
  SET_BROKEN_ASIDE,
  SYNC,
  verifyError,
} from './cause.js'

const UNTRUSTED = { severity: 'error', blame: 'certificate' } as const
const CONFIGURATION = 'INTERNAL_ERROR: Connection failed: configuration failed.'
const RENEW_LIST = `ls CRL.pem && xe pool-crl-uninstall name=NAME.pem && xe pool-crl-install filename=CRL.pem; ${SYNC}`
const DISK =
  'only on the disk of the host, with --host-ssh: the pool tells names and fingerprints, not what the files hold'

export const TRUST_CAUSES: readonly Cause[] = [
  cause(15, 'INTERMEDIATE_NOT_SENT', 'intermediate not sent', UNTRUSTED, {
    poolSays: verifyError('unable to get local issuer certificate'),
    seenBy: 'the server sends one certificate alone, and it is not its own issuer',
    remedy: INSTALL_WITH_ISSUER,
  }),
  cause(19, 'ROOT_NOT_INSTALLED', 'the right root is not installed', UNTRUSTED, {
    poolSays: `${verifyError('self-signed certificate in certificate chain')}, or: unable to get local issuer certificate`,
    seenBy: 'the issuer of the last certificate sent, and the fingerprints of what is installed',
    remedy: INSTALL_ROOT,
  }),
  cause(20, 'ROOT_REKEYED', 'root renewed with another key', UNTRUSTED, {
    poolSays: verifyError('certificate signature failure'),
    seenBy: 'what the pool says; and a root of the same name with another key, where both are known here',
    remedy: `xe pool-uninstall-ca-certificate name=OLD.pem; ${SYNC}`,
  }),
  cause(21, 'ROOT_OF_INTERMEDIATE_MISSING', 'intermediate installed without its root', UNTRUSTED, {
    poolSays: verifyError('unable to get issuer certificate'),
    seenBy: 'what the pool says; and an intermediate among the fingerprints of what is installed',
    remedy: INSTALL_ROOT,
  }),
  cause(22, 'BUNDLE_EMPTY', 'verification on, nothing installed', UNTRUSTED, {
    poolSays: CONFIGURATION,
    seenBy: 'the flag, and a list of installed certificates that is empty',
    remedy: `scp root@HOST:/etc/ssl/certs/server.pem wlb.pem; xe pool-certificate-install filename=wlb.pem; ${SYNC}`,
  }),
  cause(23, 'LEAF_INSTALLED', 'leaf installed instead of its root', UNTRUSTED, {
    poolSays: `${verifyError('unable to get local issuer certificate')}, or: self-signed certificate in certificate chain`,
    seenBy: 'the fingerprint of the leaf is among those installed, and it is not its own issuer',
    remedy: INSTALL_ROOT,
  }),
  cause(24, 'SELF_SIGNED_NOT_INSTALLED', 'self-signed and not installed', UNTRUSTED, {
    poolSays: verifyError('self-signed certificate'),
    seenBy: 'the fingerprint of what is served is not among those installed',
    remedy: `scp root@HOST:/etc/ssl/certs/server.pem wlb.pem; xe pool-certificate-install filename=wlb.pem; ${SYNC}`,
  }),
  cause(25, 'SELF_SIGNED_REMADE', 'self-signed certificate made again since', UNTRUSTED, {
    poolSays: verifyError('self-signed certificate'),
    seenBy: 'one of the same name and another fingerprint is installed, or one made in the same way before',
    remedy: `xe pool-certificate-uninstall name=OLD.pem; xe pool-certificate-install filename=wlb.pem; ${SYNC}`,
  }),
  cause(
    26,
    'SELF_SIGNED_NO_AUTHORITY',
    'self-signed without authority flags (accepted)',
    { severity: 'note', blame: 'none' },
    {
      poolSays: 'nothing: it is accepted',
      seenBy: 'not reported: every certificate this program makes is of that kind, and nothing refuses it',
      remedy: '',
    },
  ),
  cause(27, 'LEAF_WANTED', 'old pools that want the leaf itself', UNTRUSTED, {
    poolSays: 'SSL_VERIFY_ERROR: Certificate not found in local repository',
    seenBy: 'that text, which begins otherwise than all others; the version of xapi on the hosts',
    remedy: `xe pool-install-ca-certificate filename=LEAF.pem; ${SYNC}`,
  }),
  cause(28, 'HOST_LACKS_CERTIFICATE', 'a member lacks what the coordinator has', UNTRUSTED, {
    poolSays: 'nothing, until that host is the coordinator; the host itself refuses',
    seenBy: 'every host is asked to connect itself: one refuses, others verify',
    remedy: SYNC,
  }),
  cause(
    29,
    'RECORD_MISSING',
    'a member down while installing',
    { severity: 'warning', blame: 'certificate' },
    {
      poolSays: 'nothing while connecting; CERTIFICATE_ALREADY_EXISTS when it is installed again',
      seenBy: 'hosts verify, and the list of installed certificates does not hold what they verify with',
      remedy: 'xe pool-uninstall-ca-certificate name=NAME.pem; xe pool-install-ca-certificate filename=NAME.pem',
    },
  ),
  cause(30, 'HOST_MISSED_SYNC', 'a member down during a sync', UNTRUSTED, {
    poolSays: 'HOST_OFFLINE while synchronising',
    seenBy:
      'with --host-ssh, a store last written before what it lacks was installed; from outside it looks like row 28',
    remedy: SYNC,
  }),
  cause(
    31,
    'FILE_NAME_TAKEN',
    'file name installed already',
    { severity: 'error', blame: 'certificate' },
    {
      poolSays: 'CERTIFICATE_ALREADY_EXISTS when it is installed',
      seenBy: 'wlb.pem is installed, and it is neither what is served nor what was served before',
      remedy: 'xe pool-install-ca-certificate filename=OTHER-NAME.pem',
    },
  ),
  cause(32, 'FILE_NAME_UNFIT', 'file name not allowed', UNTRUSTED, {
    poolSays: 'CERTIFICATE_NAME_INVALID when it is installed; forced in, it never gets into the bundle',
    seenBy: 'the names the pool records',
    remedy: ANEW,
  }),
  cause(
    33,
    'FILE_HOLDS_CHAIN',
    'several certificates in one file',
    { severity: 'warning', blame: 'certificate' },
    {
      poolSays: 'CA_CERTIFICATE_INVALID when it is installed; forced in, nothing',
      seenBy: DISK,
      remedy: 'wlb cert export --part root',
    },
  ),
  cause(34, 'FILE_NOT_PEM', 'not a PEM certificate', UNTRUSTED, {
    poolSays: `CA_CERTIFICATE_INVALID when it is installed; forced in, ${CONFIGURATION}`,
    seenBy: `${DISK}; from outside it looks like row 37`,
    remedy: 'openssl x509 -inform der -in FILE -out FILE.pem',
  }),
  cause(35, 'FILE_TRUSTED_FORM', 'OpenSSL’s own TRUSTED CERTIFICATE form', UNTRUSTED, {
    poolSays: `CA_CERTIFICATE_INVALID when it is installed; forced in, ${CONFIGURATION}`,
    seenBy: `${DISK}; from outside it looks like row 37`,
    remedy: 'openssl x509 -in FILE.pem -out FILE.pem',
  }),
  cause(
    36,
    'FILE_LINE_ENDS',
    'CRLF, byte order mark or blanks in PEM',
    { severity: 'note', blame: 'none' },
    {
      poolSays: 'nothing once it is in; CA_CERTIFICATE_INVALID for some when it is installed',
      seenBy: DISK,
      remedy: '',
    },
  ),
  cause(36, 'FILE_HIDDEN', 'byte order mark behind another file', UNTRUSTED, {
    poolSays: 'as if the certificate were not installed',
    seenBy: `${DISK}: the file holds it, and the bundle that begins with another file does not`,
    remedy: 'openssl x509 -in FILE.pem -out NEW.pem',
  }),
  cause(37, 'BUNDLE_UNREADABLE', 'cut block first in the bundle', UNTRUSTED, {
    poolSays: CONFIGURATION,
    seenBy: 'that answer, while the list of installed certificates is not empty',
    remedy: SET_BROKEN_ASIDE,
  }),
  cause(38, 'BUNDLE_CUT', 'cut block later in the bundle', UNTRUSTED, {
    poolSays: `${verifyError('unable to get local issuer certificate')}, or another text of rows 19 and 24`,
    seenBy: 'hosts do not trust a certificate whose fingerprint is among those installed',
    remedy: SET_BROKEN_ASIDE,
  }),
  cause(
    39,
    'INSTALLED_OUT_OF_DATES',
    'expired or future certificate installed',
    { severity: 'warning', blame: 'certificate' },
    {
      poolSays: 'CA_CERTIFICATE_EXPIRED or CA_CERTIFICATE_NOT_VALID_YET when it is installed',
      seenBy: 'the dates the pool records of what is installed',
      remedy: `xe pool-uninstall-ca-certificate name=NAME.pem; ${SYNC}`,
    },
  ),
  cause(69, 'OTHER_MACHINE', 'name leads to another machine', UNTRUSTED, {
    poolSays: 'SSL_VERIFY_ERROR, with the text for whatever that machine serves',
    seenBy: 'what is served is not what lies on the appliance, and speaks for other names',
    remedy: 'getent hosts FQDN',
  }),
  cause(71, 'OLD_CERTIFICATE_SERVED', 'new files, old certificate still served', UNTRUSTED, {
    poolSays: 'as before the change',
    seenBy: 'what is served is not what lies on the appliance, and of the same making',
    remedy: 'killall stunnel; stunnel',
  }),
  cause(74, 'SIGNED_ANEW', 'something between signs anew', UNTRUSTED, {
    poolSays: `${verifyError('unable to get local issuer certificate')}, or: self-signed certificate in certificate chain`,
    seenBy: 'what is served is not what lies on the appliance, speaks for its name, and has another issuer',
    remedy: 'traceroute -T -p 8012 FQDN',
  }),
  cause(
    78,
    'STORE_DAMAGED',
    'trust store damaged',
    { severity: 'warning', blame: 'certificate' },
    {
      poolSays: 'CERTIFICATE_LIBRARY_CORRUPT when something is installed or synchronised',
      seenBy: `${DISK}: what is no file, or a bundle that is not the one its files make`,
      remedy: `ls -lR /etc/stunnel; ${SYNC}`,
    },
  ),
  cause(79, 'HOST_HOLDS_OTHER', 'two pools merge, same name, other certificate', UNTRUSTED, {
    poolSays: 'POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT when a host joins',
    seenBy: 'a host has a bundle that loads, and trusts others than its coordinator does',
    remedy: SYNC,
  }),
  cause(
    80,
    'FINGERPRINTS_MISSING',
    'record without fingerprints after an upgrade',
    { severity: 'warning', blame: 'certificate' },
    {
      poolSays: 'nothing while connecting; no host can join the pool',
      seenBy: 'the records of installed certificates',
      remedy: ANEW,
    },
  ),
  cause(58, 'LEAF_REVOKED', 'leaf revoked', UNTRUSTED, {
    poolSays: verifyError('certificate revoked'),
    seenBy: 'what the pool says',
    remedy: `${NEW_CERTIFICATE} --new-key`,
  }),
  cause(59, 'CRL_EXPIRED', 'revocation list expired', UNTRUSTED, {
    poolSays: verifyError('CRL has expired'),
    seenBy: 'what the pool says',
    remedy: RENEW_LIST,
  }),
  cause(60, 'CRL_NOT_YET_VALID', 'revocation list not valid yet', UNTRUSTED, {
    poolSays: verifyError('CRL is not yet valid'),
    seenBy: 'what the pool says',
    remedy: RENEW_LIST,
  }),
  cause(61, 'CRL_OF_ANOTHER', 'revocation list of another authority', UNTRUSTED, {
    poolSays: verifyError('unable to get certificate CRL'),
    seenBy: 'what the pool says, for a certificate that a root or nobody else has issued',
    remedy: `xe pool-crl-install filename=CRL.pem; ${SYNC}`,
  }),
  cause(62, 'CRL_OF_ROOT_ONLY', 'revocation list of the root only', UNTRUSTED, {
    poolSays: verifyError('unable to get certificate CRL'),
    seenBy: 'what the pool says, for a certificate that an intermediate has issued',
    remedy: `xe pool-crl-install filename=CRL.pem; ${SYNC}`,
  }),
  cause(63, 'CRL_SIGNATURE_WRONG', 'revocation list signed with another key', UNTRUSTED, {
    poolSays: verifyError('CRL signature failure'),
    seenBy: 'what the pool says',
    remedy: RENEW_LIST,
  }),
  cause(64, 'CRL_NAME_UNFIT', 'revocation list badly named, or twice', UNTRUSTED, {
    poolSays: `CRL_NAME_INVALID when it is installed; forced in, ${verifyError('unable to get certificate CRL')}`,
    seenBy: 'the names of revocation lists on the coordinator',
    remedy: 'ls -l /etc/stunnel/crls',
  }),
]

const DRIFT = { severity: 'warning', blame: 'certificate' } as const
const LATER = 'nothing while connecting'

/** Seen on disks only, and without a number. */
export const DISK_CAUSES: readonly Cause[] = [
  cause(0, 'HOST_HOLDS_MORE', 'a member trusts more than its coordinator does', DRIFT, {
    poolSays: LATER,
    seenBy: DISK,
    remedy: SYNC,
  }),
  cause(0, 'RECORD_WITHOUT_FILE', 'on record, and on no disk', DRIFT, {
    poolSays: 'SSL_VERIFY_ERROR or INTERNAL_ERROR, as if it were not installed',
    seenBy: DISK,
    remedy: `xe pool-uninstall-ca-certificate name=NAME.pem force=true; xe pool-install-ca-certificate filename=NAME.pem; ${SYNC}`,
  }),
  cause(0, 'RECORD_DIFFERS', 'another certificate on disk than on record', DRIFT, {
    poolSays: LATER,
    seenBy: DISK,
    remedy: `xe pool-uninstall-ca-certificate name=NAME.pem; xe pool-install-ca-certificate filename=NAME.pem; ${SYNC}`,
  }),
  cause(0, 'KEY_IN_STORE', 'a private key among the installed certificates', DRIFT, {
    poolSays: LATER,
    seenBy: DISK,
    remedy: `xe pool-uninstall-ca-certificate name=NAME.pem; ${SYNC}; wlb cert request --new-key`,
  }),
]
