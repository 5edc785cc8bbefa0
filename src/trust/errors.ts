/** What can be in the way of a verified connection, of changing what a pool trusts, and of exchanging a certificate. */
import { defineErrors } from '../base/error.js'
import { shell } from '../base/text/quote-word.js'

export const trustErrors = defineErrors({
  ANOTHER_RUN_OPEN: {
    message: ({ run, place }) => {
      if (place !== undefined)
        return 'A renewal for an appliance in another place was cut short; it is finished or taken back first.'
      if (run === 'wlb trust undo') return 'What was done in this pool was being taken back, and that was cut short.'
      const what = run === 'wlb trust renew' ? 'A renewal' : 'An earlier run'
      return `${what} on this pool was cut short; it is finished or taken back first.`
    },
    facts: ['run', 'place?'],
    remedy: ({ run, place }) => {
      if (place !== undefined || run === 'wlb trust undo') return 'wlb trust undo'
      return run === 'wlb trust renew' ? 'wlb trust renew' : 'wlb trust apply --resume'
    },
  },
  APPLIANCE_NOT_SEEN: {
    message: 'The appliance shows no certificate here, so nothing can be said of it.',
    facts: ['appliance', 'why'],
    remedy: ({ appliance, why }) => {
      const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(String(appliance)) ?? []
      const isNameless = /ENOTFOUND|EAI_AGAIN/.test(String(why))
      return isNameless
        ? shell`wlb trust plan --name ${host} --appliance ADDRESS:${port}`
        : shell`wlb cert check --connect ${appliance}`
    },
  },
  APPLIANCE_NOT_SERVING: {
    message: 'The appliance shows no certificate there.',
    facts: ['address', 'port', 'why'],
    remedy: ({ address, port }) => shell`nc -vz ${address} ${port}`,
  },
  APPLIANCE_STATES_ANOTHER: {
    message:
      'The appliance says of itself that it has another certificate than the one seen from here: somebody may stand between.',
    facts: ['stated', 'seen'],
    remedy: 'wlb cert show',
  },
  APPLIANCE_UNKNOWN: {
    message: 'The pool is not connected to an appliance, and none was named.',
    facts: ['pool'],
    remedy: 'wlb trust status --appliance HOST:8012',
  },
  CERTIFICATE_BYTES_UNKNOWN: {
    message: 'That certificate cannot be brought back: the pool told its fingerprint only.',
    facts: ['name', 'fingerprintSha256'],
    remedy: ({ name }) => shell`xe pool-install-ca-certificate filename=${name}`,
  },
  CERTIFICATE_NAME_TAKEN: {
    message: 'Another certificate was installed under that name in the meantime.',
    facts: ['name'],
    remedy: 'wlb trust apply --resume',
  },
  CERTIFICATE_NOT_LISTED: {
    message: 'The pool does not list what was installed a moment ago: somebody has taken it away.',
    facts: ['fingerprints'],
    remedy: 'wlb trust apply --resume',
  },
  CRL_NEEDED: {
    message: 'With a revocation list in the pool every host asks for the list of the issuer of this certificate.',
    facts: ['issuer', 'distributionPoint', 'installed'],
    remedy: 'wlb trust apply --crl FILE',
  },
  FINGERPRINT_DIFFERS: {
    message: 'The certificate has another fingerprint than the one given; nothing was installed.',
    facts: ['given', 'seen'],
    remedy: 'wlb cert show',
  },
  FLEET_FILE_INVALID: {
    message: 'The fleet file cannot be used as it is.',
    facts: ['file', 'line?', 'pool?', 'key?', 'why'],
    remedy: ({ file }) => shell`vi ${file}`,
  },
  FLEET_FILE_UNREADABLE: {
    message: 'The fleet file cannot be read.',
    facts: ['file', 'why'],
    remedy: ({ file }) => shell`ls -l ${file}`,
  },
  GOAL_CANNOT_VERIFY: {
    message: 'With all of it done the hosts would still refuse the appliance, so nothing is installed.',
    facts: ['name', 'poolError?', 'hosts*'],
    remedy: ({ name }) => shell`wlb cert check --name ${name}`,
  },
  GOAL_IS_ANOTHER: {
    message: ({ subject, issuer }) =>
      subject === issuer
        ? 'The appliance serves a self-signed certificate, not one of an authority.'
        : 'The appliance serves a certificate of an authority, not a self-signed one.',
    facts: ['subject', 'issuer'],
    remedy: ({ subject, issuer }) => shell`wlb trust plan --goal ${subject === issuer ? 'self-signed' : 'ca'}`,
  },
  HOSTS_DOWN: {
    message: 'A host is down; what is installed now would not reach it.',
    facts: ['hosts'],
    remedy: 'wlb trust apply --allow-down',
  },
  HOSTS_NOT_ASKED: {
    message: 'Not every host could be asked to connect itself, and a prediction is no proof.',
    facts: ['hosts*'],
    remedy: 'wlb trust status',
  },
  HOSTS_REFUSE: {
    message: 'Not every host accepts the appliance.',
    facts: ['hosts*'],
    remedy: 'wlb trust status',
  },
  JOURNAL_UNREADABLE: {
    message: 'The journal of this pool cannot be read.',
    facts: ['path', 'why'],
    remedy: ({ path }) => shell`mv ${path} /tmp`,
  },
  NEXT_CERTIFICATE_REFUSED: {
    message: 'The hosts would refuse the new certificate, so nothing is changed.',
    facts: ['name', 'hosts*'],
    remedy: ({ name }) => shell`wlb cert check --name ${name}`,
  },
  NOTHING_TO_RESUME: {
    message: 'No run was cut short here; say which goal is meant.',
    facts: ['missing'],
    remedy: 'wlb trust apply --goal self-signed',
  },
  NOTHING_TO_TRUST: {
    message: 'A file holds neither a certificate nor a revocation list.',
    facts: ['file', 'holds'],
    remedy: ({ file }) => shell`openssl x509 -in ${file} -noout -subject`,
  },
  NOT_VOUCHED: {
    message: 'The fingerprint was not recognised; nothing was installed.',
    facts: ['seen'],
    remedy: 'wlb cert show',
  },
  POOL_UNREADABLE: {
    message: 'The answer holds no pool.',
    facts: ['server'],
    remedy: 'wlb trust status',
  },
  PRIVATE_KEY_IN_TRUST_FILE: {
    message:
      'There is a private key in a file meant for the pool, which would copy it to every host; nothing was copied.',
    facts: ['file', 'line?', 'part?'],
    remedy: 'wlb cert export wlb.pem',
  },
  RECONNECT_NEEDED: {
    message:
      'The pool is connected by an address that the certificate does not have; it must be connected again, by name.',
    facts: ['connectTo', 'missing'],
    remedy: 'wlb trust apply --resume --wlb-password-file FILE',
  },
  RENEW_CUT_SHORT: {
    message:
      'The exchange was cut off on the appliance; the same command finds the note there, and goes on or goes back.',
    facts: ['found*', 'cause'],
    remedy: 'wlb trust renew',
  },
  RENEW_NAME_GAP: {
    message:
      'The new certificate does not speak for every name the pool connects to, before and after: there would be a gap.',
    facts: ['missing', 'names'],
    remedy: 'wlb cert request',
  },
  RENEW_NEEDS_APPLIANCE: {
    message:
      'The appliance is not on this machine, or not in that folder: its certificate can be exchanged only where it is.',
    facts: ['appliance'],
    remedy: 'wlb status',
  },
  RENEW_NEEDS_FILES: {
    message: ({ missing }) =>
      missing === undefined
        ? 'The certificate in place is signed by an authority: what that authority signed anew must be given.'
        : 'Over SSH no key is made: the new certificate and its key have to be given.',
    facts: ['subject?', 'issuer?', 'missing?'],
    remedy: ({ missing }) =>
      missing === undefined
        ? 'wlb cert request'
        : 'wlb trust renew signed_cert.pem root_ca.pem --key FILE --ssh USER@HOST --manage',
  },
  RENEW_NEEDS_KEY: {
    message:
      'Over SSH the private key has to be given each time: until it is in service it is kept nowhere but in your file.',
    facts: ['missing'],
    remedy: 'wlb trust renew --key FILE',
  },
  RENEW_NOTHING_NEW: {
    message: 'That is the certificate in place already.',
    facts: ['fingerprintSha256'],
    remedy: 'wlb cert show',
  },
  RENEW_NOT_VERIFYING: {
    message: 'A renewal keeps up a connection that is verified; this pool has none.',
    facts: ['pool'],
    remedy: 'wlb trust apply --goal self-signed',
  },
  RENEW_OTHER_APPLIANCE: {
    message: 'What lies on that machine is not what the appliance of the pool serves, or has no key beside it.',
    facts: ['target', 'file', 'served', 'hasKey'],
    remedy: 'wlb trust fetch USER@HOST --appliance HOST:PORT',
  },
  RENEW_OTHER_POOLS: {
    message: 'Other pools connect to this appliance too, and would refuse the new certificate until they trust it.',
    facts: ['pools'],
    remedy: 'wlb trust renew --other-pools-ready',
  },
  RENEW_TAKEN_BACK: {
    message: 'The appliance did not serve the new certificate; the pair before is back in place and served as before.',
    facts: ['found*'],
    remedy: 'wlb trust renew --restart-command COMMAND',
  },
  ROOT_NEEDED: {
    message:
      'The root certificate of the authority is needed, as a file or by its fingerprint: what the appliance sends is not taken on trust.',
    facts: ['root'],
    remedy: 'wlb trust plan --goal ca root_ca.pem',
  },
  SERVED_CERTIFICATE_DIFFERS: {
    message:
      'The appliance serves another certificate than the one in the files: it was replaced, or not yet taken into service.',
    facts: ['files', 'served'],
    remedy: 'wlb cert show',
  },
  STEP_WITHOUT_EFFECT: {
    message: 'The pool took the step, and it does not show.',
    facts: ['step', 'byHand'],
    remedy: 'wlb trust status',
  },
  TRUST_BUSY: {
    message: 'Another process is changing what this pool trusts.',
    facts: ['pool', 'pid?'],
    remedy: ({ pid }) => (pid === undefined ? 'wlb trust status' : shell`ps -o pid,lstart,args -p ${pid}`),
  },
  UNDO_NEEDS_PASSWORD: {
    message:
      'The pool was connected by another address; to connect it there again, the password of the appliance is needed.',
    facts: ['connectTo', 'missing'],
    remedy: 'wlb trust undo --wlb-password-file FILE',
  },
  UNDO_OTHER_POOLS: {
    message: 'Other pools do not trust the certificate before any more, and would refuse it.',
    facts: ['pools'],
    remedy: 'wlb trust undo --other-pools-ready',
  },
  USAGE_MAIL_ADDRESS: {
    message: 'That is not the address of one mailbox.',
    facts: ['given'],
    remedy: 'wlb watch --mail-to ops@example.com',
  },
  USAGE_WEBHOOK: {
    message: 'A webhook is an https address without a password, or http to this machine.',
    facts: ['given'],
    remedy: 'wlb watch --webhook https://HOST/PATH',
  },
  VERIFICATION_SWITCHED_OFF: {
    message: 'Somebody switched verification off while the hosts were asked, so what they said proves nothing.',
    facts: ['pool'],
    remedy: 'wlb trust apply --resume',
  },
  WLB_PAUSED: {
    message: 'Workload balancing is paused in this pool: until it goes on, nothing is done there by itself.',
    facts: ['pool'],
    remedy: ({ pool }) => shell`xe pool-param-set wlb-enabled=true uuid=${pool}`,
  },
})
export const { fail } = trustErrors
