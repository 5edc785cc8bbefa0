/**
 * Keys in PKCS#8 (RFC 5958), as openssl writes them, for the SSH library, which reads traditional PEM and OpenSSH's own form. Every
 * encryption that Node opens is taken.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'

const PKCS8 = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/

export type Pkcs8Key =
  | { readonly state: 'opened'; readonly pem: string }
  | { readonly state: 'passphrase needed' | 'passphrase wrong' }
  | { readonly state: 'unreadable'; readonly why: string }

/** Undefined where it is no PKCS#8. */
export function openPkcs8(bytes: Buffer, passphrase: string | undefined): Pkcs8Key | undefined {
  const found = PKCS8.exec(bytes.toString('latin1'))
  if (!found) return undefined
  const isEncrypted = found[1] !== undefined
  if (isEncrypted && passphrase === undefined) return { state: 'passphrase needed' }
  try {
    const key = createPrivateKey({ key: bytes, ...(isEncrypted ? { passphrase } : {}) })
    const pem = rewrite(key)
    const type = key.asymmetricKeyType
    return pem === undefined
      ? { state: 'unreadable', why: `SSH has no keys of type ${type}` }
      : { state: 'opened', pem }
  } catch (error) {
    const isWrong = error instanceof Error && 'code' in error && error.code === 'ERR_OSSL_BAD_DECRYPT'
    if (isEncrypted && isWrong) return { state: 'passphrase wrong' }
    return { state: 'unreadable', why: error instanceof Error ? error.message : String(error) }
  }
}

function rewrite(key: KeyObject): string | undefined {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' }).toString()
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' }).toString()
    case 'ed25519':
      return ed25519Pem(key)
    default:
      return undefined
  }
}

/** Ed25519 has no older form than OpenSSH's (openssh-portable, PROTOCOL.key), here without encryption. */
function ed25519Pem(key: KeyObject): string {
  const { d = '', x = '' } = key.export({ format: 'jwk' })
  const [secret, open] = [d, x].map((half) => Buffer.from(half, 'base64url'))
  if (secret?.length !== 32 || open?.length !== 32) throw new Error('an Ed25519 key has 32 bytes')
  const type = Buffer.from('ssh-ed25519')
  const check = Buffer.alloc(8) // two equal numbers; they tell a wrong passphrase, and there is none
  const halves = Buffer.concat([check, ...[type, open, Buffer.concat([secret, open]), Buffer.alloc(0)].map(counted)])
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (halves.length % 8)) % 8)
  const none = counted(Buffer.from('none'))
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    none, // cipher
    none, // how the key for it is made
    counted(Buffer.alloc(0)),
    Buffer.from([0, 0, 0, 1]), // keys
    counted(Buffer.concat([type, open].map(counted))),
    counted(Buffer.concat([halves, padding])),
  ])
  const lines = whole.toString('base64').replace(/.{70}/g, '$&\n')
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.trimEnd()}\n-----END OPENSSH PRIVATE KEY-----\n`
}

function counted(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
