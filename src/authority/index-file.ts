/** Which certificates an authority has issued and revoked: one JSON file, replaced whole, written before anything leaves. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { replaceFile } from '../base/durable-file.js'
import { WlbError } from '../base/error.js'
import { systemCode, touching } from '../base/file-failure.js'
import { REVOCATION_REASONS } from '../x509/index.js'
import { type AuthorityFolder, authorityMissing, SECRET_MODE } from './folder.js'

const DATE = z.iso.datetime()

const ISSUED = z.strictObject({
  serialNumber: z.string().regex(/^[0-9A-F]+$/),
  subject: z.string(),
  names: z.array(z.string()),
  issuedAt: DATE,
  notBefore: DATE,
  notAfter: DATE,
  /** PEM: a copy that was lost can be had again. */
  certificate: z.string(),
  revoked: z.strictObject({ at: DATE, reason: z.enum(REVOCATION_REASONS) }).optional(),
})

const INDEX = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  /** Which of the two signs certificates of servers: told here, so that a lost file is not mistaken for none. */
  issuer: z.enum(['intermediate', 'root']),
  /** Of the list issued last; a list with a lower number is an older one (RFC 5280, 5.2.3). */
  crlNumber: z.strictObject({ intermediate: z.int().min(0), root: z.int().min(0) }),
  issued: z.array(ISSUED),
})

export type IssuedCertificate = Readonly<z.infer<typeof ISSUED>>
export type AuthorityIndex = Readonly<z.infer<typeof INDEX>>

/**
 * @throws AUTHORITY_MISSING when there is none.
 * @throws AUTHORITY_INDEX_DAMAGED when it is not what was written.
 */
export async function readIndex(place: AuthorityFolder): Promise<AuthorityIndex> {
  const text = await touching(place.index, () => readFile(place.index, 'utf8')).catch((error: unknown) => {
    throw systemCode(error) === 'ENOENT' ? authorityMissing(place.folder) : error
  })
  const parsed = INDEX.safeParse(parseJson(text))
  if (!parsed.success) throw indexDamaged(place.index, parsed.error.issues[0])
  return parsed.data
}

export async function writeIndex(place: AuthorityFolder, index: AuthorityIndex): Promise<void> {
  await touching(place.index, () => replaceFile(place.index, `${JSON.stringify(index, undefined, 2)}\n`, SECRET_MODE))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function indexDamaged(file: string, issue: { path: PropertyKey[]; message: string } | undefined): WlbError {
  return new WlbError(
    'AUTHORITY_INDEX_DAMAGED',
    'The record of what this authority has issued cannot be read; without it nothing is signed or revoked.',
    { file, where: issue?.path.join('.') || 'the whole file', found: issue?.message ?? 'not JSON' },
    `ls -l ${file}   # put a copy back that was kept elsewhere`,
  )
}
