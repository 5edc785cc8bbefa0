/** Every row that can be injected: its number, where it is brought about, what happens. */
import { APPLIANCE_FAULTS } from './appliance/index.js'
import { POOL_FAULTS } from './pool/index.js'

export interface FaultRow {
  readonly row: number
  /** `pool`, `every host`, `a member`, `the coordinator` or `appliance`. */
  readonly where: string
  readonly what: string
  /** Empty where there is one form only. */
  readonly variants: readonly string[]
}

/** Rows of the appliance in a line each; which of them can be injected the appliance's own table says. */
const ON_THE_APPLIANCE: Readonly<Record<number, string>> = {
  1: 'the leaf has expired',
  2: 'the intermediate has expired',
  4: 'the leaf is not valid yet',
  6: 'the common name is another one, and there is no SAN',
  7: 'the common name is right, and the SANs leave it out',
  14: 'the wildcard is one level too high',
  15: 'the intermediate is not sent',
  16: 'the root is sent before the intermediate: accepted',
  17: 'the root comes first in server.pem',
  18: 'the certificates in server.pem are joined without a newline',
  19: 'the root of the chain is not the one installed',
  20: 'the root has the same name and another key',
  24: 'the certificate is self-signed and not installed',
  25: 'the self-signed certificate was made again since it was installed',
  26: 'the self-signed certificate has no authority flags: accepted',
  40: 'the key belongs to another certificate',
  41: 'the key is still encrypted',
  42: 'others may read the key',
  43: 'the leaf has RSA 1024',
  44: 'the authority has RSA 1024',
  45: 'a signature was made with SHA-1',
  46: 'the server key is elliptic',
  47: 'the server speaks TLS 1.3 only',
  48: 'the server speaks TLS 1.1 at most',
  49: 'the server allows neither of the two suites',
  50: 'the server does not allow the curve',
  51: 'the server demands a client certificate',
  52: 'the extended key usage lacks serverAuth',
  53: 'the key usage of the leaf is unfit',
  54: 'the authority may not sign certificates',
  55: 'the intermediate is no authority',
  56: 'the path is longer than allowed',
  57: 'the name is outside the name constraints',
  58: 'the leaf is revoked',
  65: 'nobody listens on the port',
  66: 'packets are dropped on the way',
  67: 'no TLS is spoken on the port',
  69: 'the name leads to another machine',
  71: 'new files are in place, and the old certificate is served',
  74: 'something in between signs anew',
  75: 'the user or password for the appliance is wrong',
  76: 'the user or password for the pool is wrong',
}

export function listFaults(): FaultRow[] {
  const pool = [...POOL_FAULTS.values()].map(({ row, scope, what, variants = [] }) => ({
    row,
    where: scope,
    what,
    variants,
  }))
  const appliance = [...APPLIANCE_FAULTS.keys()].map((row) => ({
    row,
    where: 'appliance',
    what: ON_THE_APPLIANCE[row] ?? '',
    variants: [],
  }))
  return [...pool, ...appliance].sort((one, other) => one.row - other.row)
}
