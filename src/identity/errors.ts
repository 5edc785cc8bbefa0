/** What can be wrong with the appliance's certificate: on disk, installed, requested, or ordered from an ACME authority. */
import { defineErrors } from '../base/error.js'
import { shell } from '../base/text/quote-word.js'

type Fact = string | number | boolean

const INSTALL_FILES = 'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem'
const SHOW = 'wlb cert show'

/** An example of each option that sets a field of a request. */
const FIELD_OPTIONS: Readonly<Record<string, string>> = {
  country: '--country CA',
  state: '--state Alberta',
  locality: '--locality Calgary',
  organization: "--organization 'Example Inc.'",
  organizationalUnit: '--organizational-unit IT',
  commonName: '--common-name wlb.example.com',
  email: '--email admin@example.com',
  challengePassword: '--challenge-password-file FILE',
  companyName: "--company-name 'Example Inc.'",
}

/** What to ask an authority for when a name is missing: the only defect that another `--name` can cure. */
export const CERTIFICATE_WITH_NAME = 'a certificate that names this host name as a dNSName (subject alternative name)'

/** A new key where one is asked for, another name where nothing but the name is wrong. */
function whatToTypeWhenRefused(facts: Readonly<Record<string, Fact | undefined>>): string {
  const asked = Object.entries(facts).flatMap(([name, text]) => (name.startsWith('askTheAuthorityFor') ? [text] : []))
  if (asked.some((text) => String(text).includes('--new-key'))) return 'wlb cert request --new-key'
  return asked.every((text) => text === CERTIFICATE_WITH_NAME) ? `${INSTALL_FILES} --name OTHER` : INSTALL_FILES
}

export const identityErrors = defineErrors({
  ACME_ACCOUNT_DEACTIVATED: {
    message: 'The authority has deactivated the account of this appliance, and a new one at once.',
    facts: ['directory', 'authoritySays'],
    remedy: 'wlb cert acme --directory URL',
  },
  ACME_ACCOUNT_REFUSED: {
    message: 'The authority gives this appliance no account.',
    facts: ['directory', 'type', 'authoritySays', 'eabKid?'],
    remedy: ({ eabKid }) =>
      eabKid === undefined ? 'wlb cert acme --email ADDRESS' : 'wlb cert acme --eab-kid KID --eab-key-file FILE',
  },
  ACME_ADDRESS_UNUSABLE: {
    message: 'This machine has no such address to answer the authority’s question on.',
    facts: ['address', 'port'],
    remedy: 'wlb cert acme --http-address 0.0.0.0',
  },
  ACME_ANSWER_UNUSABLE: {
    message: 'The authority’s answer cannot be used.',
    facts: ['directory', 'asked', 'why'],
    remedy: ({ directory }) => shell`curl -v ${directory}`,
  },
  ACME_BINDING_KEY_UNUSABLE: {
    message:
      'The file holds no key for an external account binding: one word in base64url is expected, as the authority shows it.',
    facts: ['file'],
    remedy: 'wlb cert acme --eab-kid KID --eab-key-file FILE',
  },
  ACME_BINDING_REQUIRED: {
    message:
      'The authority gives accounts to those only whom it knows: on its site it hands out a key identifier and a key (external account binding).',
    facts: ['directory', 'authoritySays'],
    remedy: 'wlb cert acme --eab-kid KID --eab-key-file FILE',
  },
  ACME_CERTIFICATE_REFUSED: {
    message:
      'The authority has issued a certificate that no pool would accept; nothing was changed, and it is kept for inspection.',
    facts: ['file', 'because', 'refusal*'],
    remedy: ({ file }) => shell`wlb cert check ${file}`,
  },
  ACME_CHALLENGE_FAILED: {
    message: 'The authority could not convince itself that this name is ours.',
    facts: ['name', 'type', 'authoritySays', 'check'],
    remedy: ({ name, type }) =>
      type === 'dns-01'
        ? shell`dig TXT _acme-challenge.${name}`
        : shell`curl -v http://${name}/.well-known/acme-challenge/`,
  },
  ACME_CHALLENGE_NOT_OFFERED: {
    message: 'The authority lets this name not be proved this way.',
    facts: ['name', 'type', 'offered'],
    remedy: ({ type }) => (type === 'dns-01' ? 'wlb cert acme --http-port 80' : 'wlb cert acme --dns-hook PROGRAM'),
  },
  ACME_DIRECTORY_CA_UNUSABLE: {
    message: 'The file that the directory is to be verified with holds no certificate in PEM.',
    facts: ['file'],
    remedy: 'wlb cert acme --directory-ca FILE',
  },
  ACME_DIRECTORY_UNREACHABLE: {
    message: 'The authority could not be reached.',
    facts: ['url', 'why'],
    remedy: ({ url }) => shell`curl -v ${url}`,
  },
  ACME_DIRECTORY_UNTRUSTED: {
    message: 'The certificate of the authority’s own server is not trusted here; nothing was sent.',
    facts: ['url', 'why'],
    remedy: 'wlb cert acme --directory-ca FILE',
  },
  ACME_DIRECTORY_UNUSABLE: {
    message: 'What is at this address is not the directory of an ACME authority.',
    facts: ['url', 'why'],
    remedy: 'wlb cert acme --directory URL',
  },
  ACME_HOOK_FAILED: {
    message: 'The program that changes the DNS did not do its work.',
    facts: ['command', 'exitCode?', 'output'],
    remedy: ({ command }) => String(command),
  },
  ACME_HOOK_UNUSABLE: {
    message: 'The program that changes the DNS cannot be started; nothing was ordered.',
    facts: ['hook', 'why', '(repair)'],
    remedy: ({ repair }) => String(repair),
  },
  ACME_INTERRUPTED: {
    message: 'The order was broken off; nothing was changed, and the next one begins where this one could not go on.',
    facts: ['url'],
    remedy: 'wlb cert acme',
  },
  ACME_ORDER_REFUSED: {
    message: 'The authority does not issue this certificate.',
    facts: ['directory', 'names?', 'type', 'authoritySays'],
    remedy: 'wlb cert acme --name FQDN',
  },
  ACME_ORDER_TIMEOUT: {
    message: 'The authority has not made up its mind in the time it is given.',
    facts: ['directory', 'waitedFor', 'seconds'],
    remedy: 'wlb cert acme',
  },
  ACME_PORT_FORBIDDEN: {
    message: 'This user may not listen there: the first 1024 ports are root’s unless the system says otherwise.',
    facts: ['address', 'port'],
    remedy: ({ port }) => shell`sysctl net.ipv4.ip_unprivileged_port_start=${port}`,
  },
  ACME_PORT_IN_USE: {
    message:
      'Another program listens where the authority’s question is to be answered: stop it meanwhile, let it pass the question on to another port (--http-port), or prove the name by DNS (--dns-hook).',
    facts: ['address', 'port'],
    remedy: ({ port }) => shell`ss -tlnp sport = :${port}`,
  },
  ACME_PROFILE_UNKNOWN: {
    message: 'The authority has no kind of certificate (profile) of that name.',
    facts: ['directory', 'profile', 'offered'],
    remedy: 'wlb cert acme --profile NAME',
  },
  ACME_RATE_LIMITED: {
    message: 'The authority has been asked too often and wants to be left alone for a while.',
    facts: ['directory', 'asked', 'authoritySays', 'retryAfterSeconds?'],
    remedy: 'wlb cert acme   # later',
  },
  ACME_TERMS_NOT_AGREED: {
    message: ({ terms, visit }) =>
      visit !== undefined
        ? 'The authority wants something done in a browser first, such as to agree to new terms: open the address.'
        : terms === undefined
          ? 'The authority wants its terms of service agreed to first.'
          : 'The authority issues certificates only to those who agree to its terms of service.',
    facts: ['directory', 'visit?', 'terms?', 'agreedBefore?', 'authoritySays?'],
    remedy: ({ visit }) =>
      visit === undefined ? 'wlb cert acme --agree-tos' : 'wlb cert acme --agree-tos   # after the address was opened',
  },
  ACME_UNAVAILABLE: {
    message: 'The authority cannot answer now: it has trouble of its own, or is being maintained. Try later.',
    facts: ['directory', 'asked', 'authoritySays', 'retryAfterSeconds?'],
    remedy: 'wlb cert acme   # later',
  },
  CERTIFICATE_KEY_MISMATCH: {
    message: 'None of the private keys at hand belongs to any of the certificates given.',
    facts: ['certificates', 'keys'],
    remedy: `${INSTALL_FILES} --key KEY.pem`,
  },
  CERTIFICATE_NOT_GIVEN: {
    message: 'There is no certificate in the files.',
    facts: ['files', 'found'],
    remedy: 'wlb cert install --help',
  },
  CERTIFICATE_REFUSED: {
    message: 'No pool would accept this; nothing was changed.',
    facts: [
      ...(['found?', 'found2?', 'found3?', 'found4?', 'found5?', 'found6?', 'found7?', 'found8?'] as const),
      ...(['askTheAuthorityFor?', 'askTheAuthorityFor2?', 'askTheAuthorityFor3?', 'askTheAuthorityFor4?'] as const),
      ...(['askTheAuthorityFor5?', 'askTheAuthorityFor6?', 'askTheAuthorityFor7?', 'askTheAuthorityFor8?'] as const),
      ...(['name', 'clock?', 'poolWouldSay'] as const),
    ],
    remedy: whatToTypeWhenRefused,
  },
  CHAIN_INCOMPLETE: {
    message: 'The certificate of the issuer is not among the files; without it no pool can be told to trust this one.',
    facts: ['leaf', 'askTheAuthorityFor', 'orFetchItFrom?', 'givenAndUnrelated?'],
    remedy: INSTALL_FILES,
  },
  COMMON_NAME_DIFFERS: {
    message:
      'The common name must be the host name of the appliance exactly: it is what pools connect to and compare with.',
    facts: ['commonName', 'hostname'],
    remedy: 'wlb cert request   # without --common-name; or with --force, if it is meant',
  },
  EXPORT_WOULD_OVERWRITE: {
    message: 'There is a file of that name, and it holds something else than certificates.',
    facts: ['file'],
    remedy: ({ file }) => shell`ls -l ${file}`,
  },
  IDENTITY_INCOMPLETE: {
    message: 'A certificate needs its key and a key its certificate: one of the two files is missing.',
    facts: ['missing'],
    remedy: ({ missing }) => shell`ls -l ${String(missing).replace(/(?<=\/)[^/]*$/, '')}`,
  },
  IDENTITY_NO_PREVIOUS: {
    message: 'The certificate in place has replaced none that works, so there is none to go back to.',
    facts: ['missing'],
    remedy: 'wlb cert history',
  },
  IDENTITY_NOT_PROVED: {
    message: 'The certificate is in its place, but it is not what is served, and there is no other one to go back to.',
    facts: ['who?', 'address?', 'port?', 'expected?', 'seen?', 'said?', 'code?', 'why?'],
    remedy: SHOW,
  },
  IDENTITY_NOT_STAGED: {
    message: 'The new certificate and its key are not kept here any more.',
    facts: ['id'],
    remedy: 'wlb trust renew',
  },
  IDENTITY_TAKEN_BACK: {
    message: 'The new certificate did not come into service, so the one before is in its place again.',
    facts: ['who?', 'address?', 'port?', 'expected?', 'seen?', 'said?', 'code?', 'why?', 'servedAgain'],
    remedy: SHOW,
  },
  IDENTITY_UNKNOWN: {
    message: 'The history has no identity of that name, or more than one.',
    facts: ['id', 'matches'],
    remedy: 'wlb cert history',
  },
  IDENTITY_UNSETTLED: {
    message:
      'The new certificate and key are written and decided, but could not be moved into their places; the next command will.',
    facts: ['folder', 'why'],
    remedy: 'wlb cert show',
  },
  KEY_NOT_RSA: {
    message: 'Pools offer TLS suites for RSA keys only: with a key of another kind no handshake succeeds.',
    facts: ['file', 'type'],
    remedy: 'wlb cert request --new-key',
  },
  KEY_TOO_SHORT: {
    message: 'Pools refuse RSA keys of less than 2048 bits.',
    facts: ['file', 'bits'],
    remedy: 'wlb cert request --new-key',
  },
  LEAF_NOT_GIVEN: {
    message:
      'Only certificates of authorities are in the files; the one that was signed for this appliance is missing.',
    facts: ['given'],
    remedy: INSTALL_FILES,
  },
  NAME_INVALID: {
    message: 'A certificate cannot carry this name.',
    facts: ['name', 'why'],
    remedy: 'wlb cert request --san wlb2.example.com --san 192.0.2.10',
  },
  OUTPUT_OCCUPIED: {
    message: 'A file that is no certificate request has the name the request was to get; it was left alone.',
    facts: ['path'],
    remedy: 'wlb cert request --out wlb.csr',
  },
  PENDING_KEY_DIFFERS: {
    message:
      'A key of another size is waiting for its certificate; a new one has to be asked for (it is kept beside the new one).',
    facts: ['file', 'bits', 'wanted'],
    remedy: ({ wanted }) => shell`wlb cert request --new-key --key-bits ${wanted}`,
  },
  REQUEST_FIELD_INVALID: {
    message: 'One of the fields of the request cannot be used.',
    facts: ['field', 'given', 'why'],
    remedy: ({ field }) => `wlb cert request ${FIELD_OPTIONS[String(field)] ?? '--help'}`,
  },
  ROOT_NOT_THERE: {
    message: 'The file holds no self-signed certificate: the authority has its root, and a server need not send it.',
    facts: ['certificate', 'missing'],
    remedy: 'wlb cert export --chain',
  },
  SELF_SIGNED_IMPOSSIBLE: {
    message: 'There can be no such certificate.',
    facts: ['choice', 'given', 'why'],
    remedy: 'wlb cert self-signed --hostname wlb.example.com --days 3650',
  },
})
export const { fail } = identityErrors
