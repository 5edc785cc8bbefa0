/** What a pool accepts and an operator should know none the less; nothing here decides a verdict. */

interface Description {
  /** The end of a sentence that begins with the certificate. */
  readonly message: string
  readonly remedy: string
}

const REBUILD = 'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem'
const REQUEST = 'wlb cert request'

export const WARNINGS = {
  ORDER_UNUSUAL: {
    message: 'is not sent right after the certificate it has issued: pools sort that out, other clients need not',
    remedy: REBUILD,
  },
  SENT_TWICE: { message: 'is sent more than once', remedy: REBUILD },
  UNRELATED: { message: 'is sent and has no place on the path', remedy: REBUILD },
  OTHER_PATH: {
    message: 'has a second path that is valid; a pool tries the first one only, browsers try both and accept',
    remedy: 'xe pool-uninstall-ca-certificate name=FILE; xe pool-certificate-sync',
  },
  NO_ALTERNATIVE_NAME: {
    message: 'has no subject alternative name: pools fall back on the common name, browsers and most libraries do not',
    remedy: REQUEST,
  },
  ADDRESS_AS_DNS_NAME: {
    message: 'has an IP address written as a dNSName: pools compare it as text, other clients refuse it',
    remedy: 'xe pool-initialize-wlb wlb_url=FQDN:8012',
  },
  COMMON_NAME_UNLISTED: {
    message: 'has a common name that is not among its dNSNames, and is then not looked at',
    remedy: REQUEST,
  },
  WILDCARD: {
    message: 'speaks for every name below a domain: who takes its key from one machine can pose as all of them',
    remedy: REQUEST,
  },
  LEAF_IS_AUTHORITY: {
    message: 'is an authority: who takes its key from the appliance can vouch for other names, and browsers refuse it',
    remedy: REQUEST,
  },
  LIFETIME_LONG: { message: 'is valid for more than 398 days, which some clients refuse', remedy: REQUEST },
  PURPOSE_MISSING: {
    message: 'does not say that it is for TLS servers (extended key usage): pools do not mind, some clients do',
    remedy: REQUEST,
  },
  EXPIRES_SOON: { message: 'expires within 30 days', remedy: REQUEST },
  JUST_BEGUN: {
    message: 'has been valid for less than an hour: a host whose clock runs late refuses it',
    remedy: 'chronyc tracking',
  },
  SERIAL_ODD: {
    message: 'has a serial number that is negative, zero or longer than 20 bytes: some clients cannot read it',
    remedy: REQUEST,
  },
  CRL_EXPIRES_SOON: {
    message: 'has a revocation list that expires within 7 days, and with it every connection of the pool',
    remedy: 'xe pool-crl-uninstall name=FILE; xe pool-crl-install filename=FILE',
  },
} as const satisfies Readonly<Record<string, Description>>

export type WarningCode = keyof typeof WARNINGS
