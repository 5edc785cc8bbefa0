/** What can be wrong with certificates, keys, requests and the files they come in. */
import { defineErrors } from '../base/error.js'
import { shell } from '../base/text/quote-word.js'

/** The file alone: `where` may go on with a line or with the part of a container (`describePlace`). */
const fileOf = (where: unknown) => String(where).replace(/( line \d+)?( \(PKCS#\d+, [^)]*\))?$/, '')

export const x509Errors = defineErrors({
  AUTHORITY_NOT_VALID: {
    message: "By this machine's clock the authority's own certificate is not valid, so neither would be what it signs.",
    facts: ['now', 'notBefore', 'notAfter'],
    remedy: 'date; wlb ca create --help',
  },
  CERTIFICATE_MALFORMED: {
    message: 'A block is labelled as a certificate and is none.',
    facts: ['where'],
    remedy: ({ where }) => shell`openssl x509 -noout -text -in ${fileOf(where)}`,
  },
  CERTIFICATE_MISSING: {
    message: 'There is no certificate in the text.',
    facts: [],
    remedy: 'openssl x509 -noout -subject -in server.pem',
  },
  FILE_UNRECOGNIZED: {
    message: 'The file holds no certificate, key, request or CRL.',
    facts: ['file', 'looksLike'],
    remedy: ({ file }) => shell`head -c 300 ${file}`,
  },
  KEY_FORMAT_UNSUPPORTED: {
    message: 'The private key is in a form that OpenSSL 3 no longer opens by itself; convert it first.',
    facts: ['file', 'format'],
    remedy: ({ file, format }) =>
      String(format).startsWith('OpenSSH')
        ? shell`ssh-keygen -p -m PKCS8 -f ${file}`
        : shell`openssl pkey -provider legacy -provider default -in ${file} -out ${file}.pem`,
  },
  KEY_MALFORMED: {
    message: 'The private key cannot be read.',
    facts: ['file', 'why'],
    remedy: ({ file }) => shell`openssl pkey -noout -check -in ${file}`,
  },
  KEY_MISSING: {
    message: 'There is no private key in the file.',
    facts: ['file', 'found'],
    remedy: ({ file }) => shell`openssl pkey -noout -check -in ${file}`,
  },
  KEY_PASSPHRASE_NEEDED: {
    message: 'The private key is encrypted, and its passphrase was not given (--passphrase-file).',
    facts: ['file'],
    remedy: ({ file }) =>
      shell`openssl pkey -noout -in ${file}   # asks for it, and prints nothing when it is the right one`,
  },
  KEY_PASSPHRASE_WRONG: {
    message: 'The private key does not open with this passphrase.',
    facts: ['file'],
    remedy: ({ file }) =>
      shell`openssl pkey -noout -in ${file}   # asks for it, and prints nothing when it is the right one`,
  },
  PASSWORD_TOO_COSTLY: {
    message:
      'Trying one password on this file would keep the processor busy for too long: it asks for too many rounds of hashing.',
    facts: ['file', 'rounds', 'limit'],
    remedy: ({ file }) =>
      shell`openssl pkcs12 -in ${file} -nodes -out ${file}.pem   # of a key alone: openssl pkey -in ${file} -out ${file}.pem`,
  },
  PEM_MALFORMED: {
    message: 'The text is not well-formed PEM.',
    facts: ['file?', 'line', 'found'],
    remedy: ({ file = 'server.pem' }) => shell`grep -n -e ----- ${file}`,
  },
  PKCS12_MALFORMED: {
    message: 'The PKCS#12 file is damaged.',
    facts: ['file', 'where'],
    remedy: ({ file }) => shell`openssl pkcs12 -info -noout -in ${file}`,
  },
  PKCS12_PASSWORD_NEEDED: {
    message: 'The PKCS#12 file has a password, and it was not given (--passphrase-file).',
    facts: ['file'],
    remedy: ({ file }) => shell`openssl pkcs12 -info -noout -in ${file}   # asks for it`,
  },
  PKCS12_PASSWORD_WRONG: {
    message: 'The PKCS#12 file does not open with this password.',
    facts: ['file'],
    remedy: ({ file }) => shell`openssl pkcs12 -info -noout -in ${file}   # asks for it`,
  },
  PKCS12_UNSUPPORTED: {
    message: 'The PKCS#12 file is protected in a way that is not opened here; convert it first.',
    facts: ['file', 'what'],
    remedy: ({ file }) => shell`openssl pkcs12 -legacy -in ${file} -nodes -out ${file}.pem`,
  },
  PKCS7_MALFORMED: {
    message: 'The file begins as PKCS#7 and goes on as something else.',
    facts: ['file'],
    remedy: ({ file }) => shell`openssl pkcs7 -inform DER -in ${file} -print_certs -noout`,
  },
  REQUEST_KEY_UNSUITABLE: {
    message: 'A certificate for the key in this request would be of no use.',
    facts: ['key'],
    remedy: 'openssl req -new -newkey rsa:2048 -noenc -keyout server.key -out csr',
  },
  REQUEST_MALFORMED: {
    message: 'This is not one certificate signing request that can be read.',
    facts: ['found'],
    remedy: 'openssl req -in csr -noout -text -verify',
  },
  REQUEST_NAMES_REFUSED: {
    message: 'Nothing was signed: the common name was refused, or no name is left that clients could compare.',
    facts: ['refused'],
    remedy:
      'openssl req -new -key server.key -subj /CN=wlb.example.com -addext subjectAltName=DNS:wlb.example.com -out csr',
  },
  REQUEST_SIGNATURE_WRONG: {
    message: 'The request was not signed with the key in it: it was changed on its way, or made of two.',
    facts: [],
    remedy: 'openssl req -in csr -noout -verify   # on the machine that made it; then send that file again',
  },
  TOO_MANY_CERTIFICATES: {
    message:
      'There are more certificates, keys and CRLs than any chain needs; give the few that belong to this appliance.',
    facts: ['file', 'limit'],
    remedy: ({ file }) => shell`grep -c -e '-----BEGIN' ${file}`,
  },
  USAGE_LIFETIME: {
    message: "A server's certificate is valid for 1 to 824 days.",
    facts: ['days'],
    remedy: 'wlb ca sign --help',
  },
  VALIDATION_TOO_COSTLY: {
    message: 'The certificates have so many names and name constraints that comparing them was given up.',
    facts: ['comparisons', 'limit'],
    remedy: 'openssl x509 -noout -ext nameConstraints -in server.pem',
  },
})
export const { fail } = x509Errors
