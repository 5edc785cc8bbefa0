/** Pairs of files OpenSSL does not start with, or should not: what goes wrong when they are put together by hand. */
import { createPrivateKey } from 'node:crypto'
import { exportPrivateKey } from '../../x509/index.js'
import type { Behaviour } from './behaviour.js'
import { keyOf } from './keys.js'
import type { Pair } from './scene.js'

export interface PlacedPair extends Pair {
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

/** As a key is that was made with a passphrase which nobody took off. */
function encrypt(pem: string): string {
  const seal = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'left on' } as const
  return createPrivateKey(pem).export(seal).toString()
}
