/** What can be wrong with a listener, with what it serves, and with a connection. */
import { defineErrors } from '../base/error.js'
import { shell } from '../base/text/quote-word.js'

const showCertificates = (address: unknown, port: unknown) =>
  shell`openssl s_client -connect ${address}:${port} -showcerts </dev/null`

export const tlsErrors = defineErrors({
  ADDRESS_NOT_HERE: {
    message: 'This machine does not have that address.',
    facts: ['address', 'port'],
    remedy: 'ip address show',
  },
  CERTIFICATE_KEY_MISMATCH: {
    message: 'The private key does not belong to the first certificate.',
    facts: ['subject'],
    remedy: 'openssl x509 -noout -pubkey -in server.pem; openssl pkey -pubout -in server.key',
  },
  CERTIFICATE_MALFORMED: {
    message: 'A block is labelled as a certificate and is none.',
    facts: ['block'],
    remedy: 'openssl x509 -noout -text -in server.pem',
  },
  CERTIFICATE_MISSING: {
    message: 'There is no certificate in the text.',
    facts: [],
    remedy: 'openssl x509 -noout -subject -in server.pem',
  },
  CONNECT_REFUSED: {
    message: 'Nothing listens there.',
    facts: ['address', 'port', 'why'],
    remedy: ({ address, port }) => shell`nc -vz ${address} ${port}`,
  },
  CONNECT_TIMEOUT: {
    message: 'The server does not answer.',
    facts: ['address', 'port', 'timeoutMs?', 'why?'],
    remedy: ({ address, port }) => shell`nc -vz ${address} ${port}`,
  },
  FAKETIME_NOT_FOUND: {
    message: 'The library libfaketime is not installed, without which stunnel knows the time of the machine only.',
    facts: ['lookedAt'],
    remedy: 'apt-get install faketime',
  },
  HOST_UNKNOWN: {
    message: 'The name does not resolve.',
    facts: ['address', 'port', 'why'],
    remedy: ({ address }) => shell`getent hosts ${address}`,
  },
  HOST_UNREACHABLE: {
    message: 'There is no way to that address.',
    facts: ['address', 'port', 'why'],
    remedy: ({ address }) => shell`ip route get ${address}`,
  },
  IDENTITY_NOT_SERVED: {
    message: 'A handshake does not show the new certificate, so the one before was put back.',
    facts: ['expected', 'seen'],
    remedy: 'wlb cert show',
  },
  IDENTITY_REFUSED: {
    message: 'OpenSSL refuses to serve this certificate and key.',
    facts: ['subject', 'why'],
    remedy: 'openssl x509 -noout -text -in server.pem',
  },
  KEY_ENCRYPTED: {
    message: 'The private key is encrypted, and nobody is there to type its passphrase when the appliance starts.',
    facts: [],
    remedy: 'openssl pkey -in server.key -out server.key.plain',
  },
  KEY_MALFORMED: {
    message: 'The private key cannot be read.',
    facts: ['label'],
    remedy: 'openssl pkey -noout -check -in server.key',
  },
  KEY_MISSING: {
    message: 'There is no private key in the text.',
    facts: [],
    remedy: 'openssl pkey -noout -check -in server.key',
  },
  PIN_MISMATCH: {
    message: 'The server shows another certificate than the one it was known by.',
    facts: ['address', 'port', 'expected', 'seen'],
    remedy: ({ address, port }) => showCertificates(address, port),
  },
  PORT_IN_USE: {
    message: 'Another process listens there already.',
    facts: ['address', 'port', 'pid?', 'program?'],
    remedy: ({ port }) => shell`ss -ltnp sport = :${port}`,
  },
  PORT_NOT_PERMITTED: {
    message: 'This user may not listen on that port.',
    facts: ['address', 'port'],
    remedy: 'wlb setup --port 8012',
  },
  STUNNEL_NOT_FOUND: {
    message: 'The program stunnel is not installed.',
    facts: ['lookedAt'],
    remedy: 'apt-get install stunnel4',
  },
  TLS_FAILED: {
    message: 'The connection broke during the handshake.',
    facts: ['address', 'port', 'why'],
    remedy: ({ address, port }) => showCertificates(address, port),
  },
  TLS_UNTRUSTED: {
    message: 'The server is not who the given authority says it is.',
    facts: ['address', 'port', 'why'],
    remedy: ({ address, port }) => showCertificates(address, port),
  },
})
export const { fail } = tlsErrors
