/** Makes the certificates in test/cli/check/, which the golden files show: run once, `tsx test/cli/make-check-fixtures.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CertificateSpec, type Issued, issue, issueAuthority, issueCrl } from '../x509/test-authority.js'

const FOLDER = join(import.meta.dirname, 'check')
const NAME = 'wlb.example.com'
const authority = { notBefore: new Date('2025-01-01'), notAfter: new Date('2035-01-01') }
const year = { notBefore: new Date('2026-01-01'), notAfter: new Date('2027-01-01') }
const server = { subject: NAME, dnsNames: [NAME], extendedKeyUsage: ['serverAuth'], ...year } as const

mkdirSync(FOLDER, { recursive: true })
const root = await issueAuthority({ subject: 'Example Root', ...authority })
const middle = await issueAuthority({ subject: 'Example Issuing CA', issuer: root, ...authority })
const other = await issueAuthority({ subject: 'Other Root', ...authority })
const leafOf = (more: Partial<CertificateSpec> = {}) => issue({ ...server, issuer: middle, ...more })
const leaf = await leafOf()

write('root', root)
write('other-root', other)
write('full-chain', leaf, middle, root)
write('chain', leaf, middle)
write('leaf', leaf)
write('wrong-order', leaf, root, other, middle, middle)
write('expired', await leafOf({ notAfter: new Date('2026-02-01') }), middle)
write('two-defects', await leafOf({ extendedKeyUsage: ['clientAuth'], notAfter: new Date('2026-02-01') }), middle)
write('with-address', await leafOf({ ipAddresses: ['192.0.2.7'] }), middle)
write('careless', await issue({ subject: NAME, issuer: middle, ...authority, ca: true }), middle)
write('wildcard', await leafOf({ subject: 'Example', dnsNames: ['*.example.com', '192.0.2.7'] }), middle)
write('self-signed', await issue(server))
write('ecdsa', await leafOf({ keyKind: 'ec' }), middle)
write('weak', await leafOf({ keyKind: 'rsa1024', digest: 'SHA-1' }), middle)
const gone = await issueAuthority({ subject: 'Gone Root', ...authority })
const bridge = await issueAuthority({ subject: 'Example Issuing CA', issuer: gone, ...authority })
write('cross-signed', leaf, bridge, middle)
const dates = { thisUpdate: new Date('2026-02-01'), nextUpdate: new Date('2026-04-01') }
writeFileSync(join(FOLDER, 'revoking.crl'), await issueCrl(middle, { revoked: [leaf], ...dates }))
writeFileSync(join(FOLDER, 'ending.crl'), await issueCrl(middle, { ...dates, nextUpdate: new Date('2026-03-04') }))
writeFileSync(join(FOLDER, 'other.crl'), await issueCrl(other, dates))
writeFileSync(join(FOLDER, 'empty.pem'), '')
writeFileSync(join(FOLDER, 'text.pem'), 'this is no certificate\n')
writeFileSync(join(FOLDER, 'leaf.der'), leaf.certificate.raw)

function write(name: string, ...sent: readonly Issued[]): void {
  writeFileSync(join(FOLDER, `${name}.pem`), sent.map(({ certificatePem }) => certificatePem).join(''))
}
