/**
 * Rows about revocation lists. The lists are made here, without the authority's key: OpenSSL checks the dates of a list
 * before its signature, and checks no signature where it has no list of the leaf's issuer.
 */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { createRsaKey, createSelfSigned } from '../../x509/index.js'
import { forgeCrl } from './forge.js'
import { changeFiles, type PoolFault, type PoolStage, parseCertificate, targetsOf } from './pool-stage.js'
import { findIntermediate, observeIssued } from './served.js'

const DAY_MS = 86_400_000
const shape = { scope: 'every host', parts: ['stores'] } as const

export const REVOCATION_FAULTS: readonly PoolFault[] = [
  {
    ...shape,
    row: 59,
    what: "the revocation list of the leaf's issuer has expired",
    inject: async (stage) => install(stage, await ofIssuer(stage, -30, -1)),
  },
  {
    ...shape,
    row: 60,
    what: "the revocation list of the leaf's issuer is not valid yet",
    inject: async (stage) => install(stage, await ofIssuer(stage, 1, 30)),
  },
  {
    ...shape,
    row: 61,
    what: 'a revocation list of another authority is installed, and none of the right one',
    inject: async (stage) => install(stage, await ofAnother(stage)),
  },
  {
    ...shape,
    row: 62,
    what: "the revocation list of the root is installed, and that of the leaf's issuer is not",
    inject: async (stage) => install(stage, await ofRoot(stage)),
  },
  {
    ...shape,
    row: 63,
    what: "the revocation list of the leaf's issuer is signed with another key",
    inject: async (stage) => install(stage, await ofIssuer(stage, -1, 30)),
  },
  {
    ...shape,
    row: 64,
    what: 'a revocation list lies under a name that does not end in .pem',
    inject: async (stage) => install(stage, await ofAnother(stage), 'list.crl'),
  },
]

async function install(stage: PoolStage, crl: string, name = 'list.pem'): Promise<void> {
  await changeFiles(stage, targetsOf(stage, shape.scope), { [name]: crl }, 'CRL')
}

/** `from` and `to` are days from now. */
async function ofIssuer(stage: PoolStage, from: number, to: number): Promise<string> {
  const { issuers } = await observeIssued(stage)
  const [issuer] = issuers
  return crlOf(stage, issuer, await createRsaKey(2048), from, to)
}

/** @throws LAB_FAULT_NEEDS_AUTHORITY when the root issued the leaf itself: then its list is the right one. */
async function ofRoot(stage: PoolStage): Promise<string> {
  const { issuers } = await observeIssued(stage)
  findIntermediate(issuers)
  return crlOf(stage, issuers.at(-1), await createRsaKey(2048), -1, 30)
}

async function ofAnother(stage: PoolStage): Promise<string> {
  const other = await createSelfSigned({ hostname: 'another.example.com', addresses: [], now: stage.now })
  const key = createPrivateKey(other.privateKeyPem)
  return crlOf(stage, parseCertificate(other.certificatePem), key, -1, 30)
}

function crlOf({ now }: PoolStage, issuer: X509Certificate | undefined, key: KeyObject, from: number, to: number) {
  if (!issuer) throw new Error('a list needs an issuer')
  const day = (days: number) => new Date(now.getTime() + days * DAY_MS)
  return forgeCrl(issuer, key, day(from), day(to))
}
