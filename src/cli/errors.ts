/** What can be wrong with a call of `wlb`, and with what a command reads or asks before another room does its work. */
import { defineErrors } from '../base/error.js'
import { shell } from '../base/text/quote-word.js'

/** The option that corrects a setting of an ACME order. */
const ACME_OPTIONS: Readonly<Record<string, string>> = {
  directory: '--directory https://acme.example.com/directory',
  email: '--email admin@example.com',
  names: '--name wlb.example.com',
  http_address: '--http-address 0.0.0.0',
  http_port: '--http-port 80',
  dns_hook: '--dns-hook PROGRAM',
  directory_ca: '--directory-ca FILE',
}

export const cliErrors = defineErrors({
  ACME_CHOICE_INVALID: {
    message: 'No authority can be asked for that; nothing was sent.',
    facts: ['choice', 'given', 'why'],
    remedy: ({ choice }) => `wlb cert acme ${ACME_OPTIONS[String(choice)] ?? '--help'}`,
  },
  ACME_CHOICE_MISSING: {
    message: 'Nothing is remembered of an authority here, and something that has no default was not given.',
    facts: ['missing'],
    remedy: 'wlb cert acme --directory https://acme.example.com/directory --email admin@example.com',
  },
  ACME_TERMS_NOT_AGREED: {
    message: 'The authority issues certificates only to those who agree to its terms of service.',
    facts: ['directory', 'terms', '(command)'],
    remedy: ({ command }) => `${command} --agree-tos`,
  },
  CA_FILE_UNREADABLE: {
    message: 'The file of the authority cannot be read.',
    facts: ['file', 'why'],
    remedy: ({ file }) => shell`ls -l ${file}`,
  },
  CHAIN_WITHOUT_ROOT: {
    message: 'The certificates do not bring a root along, so what hosts trust has to be given.',
    facts: ['certificates', 'missing'],
    remedy: 'wlb cert check --help',
  },
  DEMO_APPLIANCE_NOT_READY: {
    message: 'The appliance of the demo did not start.',
    facts: ['said'],
    remedy: 'wlb serve',
  },
  DEMO_ENDED: {
    message: 'The demo was ended before this step.',
    facts: [],
    remedy: 'wlb demo',
  },
  DEMO_LAB_NOT_READY: {
    message: 'The pool of the demo did not come up.',
    facts: ['said'],
    remedy: 'wlb lab up',
  },
  ENDPOINT_UNREACHABLE: {
    message: 'Nobody answers there.',
    facts: ['host', 'port', 'why', 'poolError'],
    remedy: ({ host, port }) => shell`nc -vz ${host} ${port}`,
  },
  FETCH_WOULD_OVERWRITE: {
    message: 'There is a file of that name, and it holds something else.',
    facts: ['file'],
    remedy: ({ file }) => shell`wlb trust fetch USER@HOST ${file} --overwrite`,
  },
  FINGERPRINT_MISMATCH: {
    message: 'The appliance shows another certificate than the one whose fingerprint was given.',
    facts: ['appliance', 'given', 'seen'],
    remedy: 'openssl x509 -in /etc/ssl/certs/server.pem -noout -fingerprint -sha256, on the appliance',
  },
  FINGERPRINTS_DIFFER: {
    message:
      'What is served is not what the appliance has on its disk: its TLS service was not restarted, or something sits in between.',
    facts: ['appliance', 'stated', 'seen'],
    remedy: 'killall stunnel; stunnel, on the appliance',
  },
  INPUT_UNREADABLE: {
    message: 'A file that was named cannot be read.',
    facts: ['what', 'file', 'why'],
    remedy: ({ file }) => shell`ls -l ${file}`,
  },
  INTERNAL_ERROR: {
    message: ({ defect }) => `This is a defect in OpenWLB, not in what was typed: ${defect}`,
    facts: ['where', '(defect)'],
    remedy: 'wlb --version, and report both lines where OpenWLB came from',
  },
  INTERRUPTED: {
    message: 'The fingerprints were not compared; nothing was changed.',
    facts: ['seen', '(command)'],
    remedy: ({ command }) => String(command),
  },
  NO_CERTIFICATE: {
    message: 'There is no certificate in the files.',
    facts: ['files', 'found'],
    remedy: 'wlb cert check --help',
  },
  PASSWORD_FILE_UNREADABLE: {
    message: 'The password file cannot be read.',
    facts: ['file', 'why'],
    remedy: 'ls -l FILE',
  },
  POOL_NOT_RECOGNISED: {
    message: 'The certificate of the pool was not recognised.',
    facts: ['pool', 'seen'],
    remedy: 'xe host-get-server-certificate',
  },
  POOL_DOCUMENT_INVALID: {
    message: 'This is not a pool that advice can be given on.',
    facts: ['file', 'path', 'problem', 'furtherProblems?', 'line?'],
    remedy: 'wlb balance plan --help',
  },
  POOL_DOCUMENT_LACKS: {
    message: 'The document holds no such thing.',
    facts: ['file', 'kind', 'uuid'],
    remedy: ({ kind }) => `wlb balance ${kind === 'host' ? 'evacuate' : 'place'} --help`,
  },
  POOL_DOCUMENT_WITHOUT_HISTORY: {
    message: 'The document holds no series of load: there is no day to replay.',
    facts: ['file'],
    remedy: 'wlb balance simulate --help',
  },
  POOLS_WOULD_REFUSE: {
    message:
      'A registered pool would refuse this certificate, or may refuse it, from that moment; it was not put in place.',
    facts: ['pools', 'why', 'missing', '(command)'],
    remedy: ({ command }) => String(command),
  },
  PORT_IN_USE: {
    message: 'No port is free for the appliance.',
    facts: ['address', 'from', 'to'],
    remedy: 'ss -ltnp',
  },
  RELOAD_WITHOUT_EFFECT: {
    message: 'The new certificate is still not served.',
    facts: ['why'],
    remedy: 'wlb status',
  },
  TEMPORARY_FOLDER_MISSING: {
    message: 'The folder for temporary files, which TMPDIR names, is not there.',
    facts: ['folder'],
    remedy: 'TMPDIR=/tmp wlb demo',
  },
  TEMPORARY_FOLDER_NOT_PERMITTED: {
    message: 'This user may not write to the folder for temporary files, which TMPDIR names.',
    facts: ['folder', 'systemError'],
    remedy: 'TMPDIR=/tmp wlb demo',
  },
  USAGE_DER_IS_ONE: {
    message: 'DER has no way to hold several certificates in a file.',
    facts: ['certificates'],
    remedy: 'wlb cert export --leaf --der --out wlb.der',
  },
  USAGE_FAULT: {
    message: 'There is no such fault.',
    facts: ['action', 'known'],
    remedy: 'wlb lab break --help',
  },
  USAGE_FILES_OR_ENDPOINT: {
    message: 'Certificates come from files or from --connect, not from both.',
    facts: [],
    remedy: 'wlb cert check --help',
  },
  USAGE_KEY_FLAGS: {
    message: 'Either an existing key is used (--key, and --passphrase-file if it is encrypted) or a new one is made.',
    facts: ['conflict'],
    remedy: 'wlb cert request --help',
  },
  USAGE_NEEDS_ANSWERS: {
    message: ({ missing }) =>
      missing === '--passphrase-file'
        ? 'There is nobody here to ask for the passphrase.'
        : 'There is nobody to ask here, and something has to be known.',
    facts: ['missing', '(command)'],
    remedy: ({ command }) => String(command),
  },
  USAGE_NEEDS_FINGERPRINT: {
    message: ({ appliance }) =>
      appliance === undefined
        ? 'Nothing confirms the certificate of this appliance: it is on another machine, and no file, no fingerprint and no way to ask it was given.'
        : 'There is nobody to compare the fingerprint of the certificate.',
    facts: ['appliance?', 'seen', 'missing'],
    remedy: ({ appliance, seen }) =>
      appliance === undefined
        ? 'wlb trust apply --goal self-signed --fingerprint SHA256'
        : shell`wlb trust fetch --from-tls ${appliance} --fingerprint ${seen}`,
  },
  USAGE_NEEDS_HOST_SSH: {
    message: 'Options about SSH to hosts were given without --host-ssh, which names the user to log in as.',
    facts: ['missing'],
    remedy: 'wlb trust status --pool NAME --host-ssh root',
  },
  USAGE_NEEDS_JUMP_KEY: {
    message: 'A jump host on the way was not met before, and there is nobody to compare the fingerprint of its key.',
    facts: ['host', 'port', 'seen', 'onTheWayTo', '(user)', '(name)'],
    remedy: ({ user, name, port }) => shell`ssh -p ${port} ${user}@${name} true`,
  },
  USAGE_NEEDS_MANAGE: {
    message: 'The certificate of an appliance on another machine is exchanged over SSH only with --manage.',
    facts: ['ssh', 'missing'],
    remedy: 'wlb trust renew FILES --key FILE --ssh USER@HOST --manage',
  },
  USAGE_NEEDS_NAME: {
    message: 'No appliance is set up here, so the name pools connect to has to be given.',
    facts: ['missing'],
    remedy: 'wlb cert check --help',
  },
  USAGE_NEEDS_PASSWORD_FILE: {
    message: 'The password of the pool is needed.',
    facts: ['pool', 'missing'],
    remedy: 'wlb trust status --password-file FILE',
  },
  USAGE_NEEDS_POOL_FILE: {
    message: 'No document was named: what is the pool like.',
    facts: ['missing'],
    remedy: 'wlb balance plan --pool-file FILE',
  },
  USAGE_NEEDS_POOL_TRUST: {
    message: 'This pool was not met before, and there is nobody to compare its fingerprint.',
    facts: ['pool', 'seen', 'compareWith', 'missing', '(command)'],
    remedy: ({ command }) => String(command),
  },
  USAGE_NEEDS_GOAL: {
    message: 'No goal was named: what is the pool to trust.',
    facts: ['missing'],
    remedy: 'wlb trust plan --goal self-signed',
  },
  USAGE_NEEDS_SSH: {
    message: '--manage needs --ssh, which names the machine of the appliance.',
    facts: ['missing'],
    remedy: 'wlb trust renew FILES --key FILE --ssh USER@HOST --manage',
  },
  USAGE_NEEDS_SSH_FINGERPRINT: {
    message: 'This host was not met before, and there is nobody to compare the fingerprint of its key.',
    facts: ['host', 'port', 'seen', 'missing', '(target)', '(fingerprint)'],
    remedy: ({ target, fingerprint }) => shell`wlb trust fetch ${target} --ssh-fingerprint ${fingerprint}`,
  },
  USAGE_NEEDS_SSH_LOGIN: {
    message: 'There is nothing to log in with, and nobody to ask for a password.',
    facts: ['target', 'missing', '(isOfHosts)'],
    remedy: ({ isOfHosts }) =>
      isOfHosts
        ? 'wlb trust status --pool NAME --host-ssh root --ssh-key FILE'
        : 'wlb trust fetch USER@HOST --ssh-key FILE',
  },
  USAGE_NEEDS_YES: {
    message: 'There is nobody here to answer the question.',
    facts: ['question', 'missing', '(command)'],
    remedy: ({ command }) => `${command} --yes`,
  },
  USAGE_NOTHING_TO_LOOK_AT: {
    message: 'Neither a pool nor an appliance was named, and none is set up here.',
    facts: ['root', 'missing'],
    remedy: 'wlb doctor --appliance HOST:8012',
  },
  USAGE_NOTHING_TO_WATCH: {
    message: 'No pool was named, and none was met before.',
    facts: ['missing'],
    remedy: 'wlb watch --fleet FILE',
  },
  USAGE_ONE_CHALLENGE: {
    message: 'Names are proved by HTTP or by DNS, not by both.',
    facts: ['given'],
    remedy: 'wlb cert acme --help',
  },
  USAGE_ONE_PART: {
    message: 'Only one of them at a time.',
    facts: ['given'],
    remedy: 'wlb cert export --chain',
  },
  USAGE_ONE_SOURCE: {
    message:
      'The certificate comes from one place: USER@HOST over SSH, --from-tls, or --local; and goes into one file.',
    facts: ['missing'],
    remedy: 'wlb trust fetch --help',
  },
  USAGE_POOL_MISSING: {
    message: 'No pool was named.',
    facts: ['missing', 'known'],
    remedy: 'wlb trust status --pool https://ADDRESS',
  },
  USAGE_POOL_UNKNOWN: {
    message: 'No pool of that name was met before.',
    facts: ['pool', 'known'],
    remedy: 'wlb trust status --pool https://ADDRESS',
  },
  USAGE_POOL_URL: {
    message: 'A pool is named by https://ADDRESS[:PORT].',
    facts: ['pool'],
    remedy: 'wlb trust status --pool https://ADDRESS:443',
  },
  USAGE_SERIAL_OR_FILE: {
    message: 'What to revoke is named by its serial number, or by a file with the certificate.',
    facts: ['given', 'found'],
    remedy: 'wlb ca list',
  },
  USAGE_STDIN_TWICE: {
    message: 'The request and the passphrase cannot both come from standard input.',
    facts: ['csr', 'passphraseFile'],
    remedy: 'wlb ca sign - --passphrase-file FILE --yes',
  },
  USAGE_STDOUT_TWICE: {
    message: 'The file and the document of --json cannot both go to standard output.',
    facts: ['out'],
    remedy: 'wlb ca crl --out crl.pem --json',
  },
  USAGE_NOBODY_TO_TELL: {
    message: 'Neither a webhook nor a mailbox was given, and [watch] in the settings here names none.',
    facts: ['missing'],
    remedy: 'wlb watch --test --mail-to ops@example.com',
  },
  USAGE_WATCH_INTERVAL: {
    message: 'Pools cannot be checked as often as that.',
    facts: ['every', 'leastSeconds'],
    remedy: ({ leastSeconds }) => shell`wlb watch --every ${leastSeconds}`,
  },
})
export const { fail } = cliErrors
