/** The appliance on this machine: its files as they lie there, good or bad, and what it has served before. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { WlbError } from '../../../base/error.js'
import { readOwnFile } from '../../../base/files/limited-file.js'
import { quoteWord } from '../../../base/text/quote-word.js'
import { type AppliancePaths, paths, readSecretKey, readSettings } from '../../../config/index.js'
import { readStatus, type Status } from '../../../identity/index.js'
import type { LocalFacts, LocalFault } from './evidence.js'

export interface LocalAppliance {
  readonly facts: Omit<LocalFacts, 'isAsked'>
  /** Undefined where it is stopped, and its settings cannot be used. */
  readonly status: Status | undefined
  /** Every certificate that lies there, of today or of before. */
  readonly certificates: readonly X509Certificate[]
}

/** Undefined where none is set up, or its folder is not for this user. */
export async function readLocalAppliance(root: string): Promise<LocalAppliance | undefined> {
  const found = await readStatus(root).catch((error: unknown) => {
    if (error instanceof WlbError) return error
    throw error
  })
  if (found instanceof WlbError && found.code !== 'SETTINGS_INVALID') return undefined
  const status = found instanceof WlbError ? undefined : found
  const place = paths(root)
  const [pem, key, keyMode, former, front] = await Promise.all([
    readText(place.certificate),
    readText(place.key),
    stat(place.key).then(
      ({ mode }) => mode,
      () => undefined,
    ),
    readFormer(place),
    readSettings(place.settings).then(
      (settings) => settings.front,
      () => undefined, // told by the status
    ),
  ])
  const onDisk = certificatesIn(pem.text)
  const own = new Set(onDisk.map(({ fingerprint256 }) => fingerprint256))
  const identity = status?.identity
  const settingsFault = found instanceof WlbError ? found : found.nextStart.fault
  return {
    status,
    certificates: [...onDisk, ...former],
    facts: {
      certificateFile: place.certificate,
      keyFile: place.key,
      keyMode,
      fault: identity && 'error' in identity ? explain(identity.error, pem.text, key) : undefined,
      onDisk,
      hostname: status?.hostname ?? '',
      running: status?.listener.state === 'running',
      ...(status?.listener.state === 'running' && { pid: status.listener.pid }),
      port: status?.listener.port ?? 0,
      settingsFile: place.settings,
      nextStart: {
        faults: [
          ...(settingsFault ? [describeFault(settingsFault)] : []),
          ...(await readSecretKey(place.secretKey).then(() => [], asFaults)),
        ],
        changed: status?.nextStart.changed ?? [],
      },
      ...(front && { frontReload: front.reload.map(quoteWord).join(' ') }),
      formerSha256: former.map(({ fingerprint256 }) => fingerprint256).filter((one) => !own.has(one)),
    },
  }
}

type Told = Pick<WlbError, 'message' | 'code' | 'facts' | 'remedy'>

function describeFault({ message, code, facts, remedy }: Told): LocalFacts['nextStart']['faults'][number] {
  const known = Object.entries(facts).map(([name, value]) => `${name}: ${value}`)
  return { code, message: `${message} [${code}] (${known.join(', ')})`, remedy }
}

function asFaults(error: unknown): ReturnType<typeof describeFault>[] {
  if (error instanceof WlbError) return [describeFault(error)]
  throw error
}

interface Read {
  readonly text: string
  readonly isDenied: boolean
}

async function readText(path: string): Promise<Read> {
  try {
    return { text: await readOwnFile(path), isDenied: false }
  } catch (error) {
    const isDenied = error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')
    return { text: '', isDenied }
  }
}

/** What `_orig` and the kept identities hold. */
async function readFormer({ originalCertificate, identities }: AppliancePaths): Promise<readonly X509Certificate[]> {
  const kept = await readdir(identities).catch(() => [])
  const files = [originalCertificate, ...kept.map((name) => join(identities, name, 'server.pem'))]
  const texts = await Promise.all(files.map(readText))
  return texts.flatMap(({ text }) => certificatesIn(text))
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

/** As far as they can be read, however they were put together. */
function certificatesIn(text: string): readonly X509Certificate[] {
  return (text.match(BLOCK) ?? []).flatMap((block) => {
    try {
      return [new X509Certificate(block)]
    } catch {
      return []
    }
  })
}

type Stated = Pick<WlbError, 'code' | 'message' | 'remedy'>

function explain({ code, message, remedy }: Stated, pem: string, key: Read): LocalFault {
  return { kind: kindOf(code, pem, key), message, remedy }
}

function kindOf(code: string, pem: string, key: Read): LocalFault['kind'] {
  if (key.isDenied) return 'key unreadable'
  if (/-----END CERTIFICATE-----[^\r\n]*-----BEGIN/.test(pem)) return 'joined'
  if (code === 'KEY_ENCRYPTED') return 'key encrypted'
  if (code !== 'CERTIFICATE_KEY_MISMATCH') return 'other'
  return belongsToAnother(pem, key.text) ? 'root first' : 'key of another'
}

function belongsToAnother(pem: string, key: string): boolean {
  try {
    const privateKey = createPrivateKey(key)
    return certificatesIn(pem).some((certificate) => certificate.checkPrivateKey(privateKey))
  } catch {
    return false
  }
}
