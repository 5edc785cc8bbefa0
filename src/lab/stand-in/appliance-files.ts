/** The appliance's own files during a fault: copied aside, replaced by a pair with a defect, put back. */
import { createPrivateKey } from 'node:crypto'
import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureFolder } from '../../base/files/durable-file.js'
import { type AppliancePaths, paths } from '../../config/index.js'
import { exportPrivateKey } from '../../x509/index.js'
import type { Behaviour } from './behaviour.js'
import { keyOf } from './odd-certificate.js'
import type { Pair } from './stand-in-certificates.js'
import { readState, type StandInLayout, type StandInState, writeState } from './stand-in-files.js'

type KeptFile = StandInState['kept'][number]

/** Copies each file only once: afterwards it may hold what a fault has written. */
export async function keepFiles(root: string, layout: StandInLayout, names: readonly KeptFile[]): Promise<void> {
  const state = await readState(layout)
  const missing = names.filter((name) => !state.kept.includes(name))
  if (missing.length === 0) return
  await ensureFolder(layout.kept, 0o700)
  for (const name of missing) await copyFile(placeOf(paths(root), name), join(layout.kept, name))
  await writeState(layout, { ...state, kept: [...state.kept, ...missing] })
}

/** Restores files with their modes. */
export async function putBack(root: string, layout: StandInLayout, names: readonly KeptFile[]): Promise<void> {
  for (const name of names) {
    const place = placeOf(paths(root), name)
    const copy = `${place}.kept`
    await copyFile(keptPath(layout, name), copy)
    await rename(copy, place)
  }
}

export function keptPath(layout: StandInLayout, name: KeptFile): string {
  return join(layout.kept, name)
}

function placeOf({ certificate, key, settings }: AppliancePaths, name: KeptFile): string {
  return { certificate, key, settings }[name]
}

interface PlacedPair extends Pair {
  readonly keyMode: number
}

export async function breakPair(pair: Pair, how: Behaviour['broken'], keyFolder: string): Promise<PlacedPair> {
  const { certificatePem, privateKeyPem } = pair
  const whole = { certificatePem, privateKeyPem, keyMode: 0o600 }
  switch (how) {
    case undefined:
      return whole
    case 'root-first':
      return { ...whole, certificatePem: blocksOf(certificatePem).reverse().join('') }
    case 'joined':
      return {
        ...whole,
        certificatePem: blocksOf(certificatePem)
          .map((block) => block.trim())
          .join(''),
      }
    case 'other-key':
      return { ...whole, privateKeyPem: exportPrivateKey(await keyOf(keyFolder, 'other-root')) }
    case 'encrypted-key':
      return { ...whole, privateKeyPem: encrypt(privateKeyPem) }
    case 'readable-key':
      return { ...whole, keyMode: 0o644 }
  }
}

function blocksOf(pem: string): string[] {
  return pem.split(/(?<=-----END CERTIFICATE-----\n)/)
}

/** As when the passphrase of a new key was never removed. */
function encrypt(pem: string): string {
  const seal = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'left on' } as const
  return createPrivateKey(pem).export(seal).toString()
}
