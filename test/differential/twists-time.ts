/** Twists of dates, keys and signatures. */
import { leafOf } from './draft.js'
import { ODD_RSA_KEYS } from './key-pool.js'
import { DAY, inDays } from './plan.js'
import { anyOf, on, onAuthority, type Twist } from './twist.js'

const EC_KEYS = ['p256', 'p256', 'p384', 'p521', 'p224', 'p192', 'p256k1', 'p256explicit']

export const TIME_TWISTS: readonly Twist[] = [
  [
    6,
    'expired',
    (draft) => on(anyOf(draft), { notAfter: inDays(-1 - draft.random.below(50)), notBefore: inDays(-99) }),
  ],
  [4, 'not yet valid', (draft) => on(anyOf(draft), { notBefore: inDays(1 + draft.random.below(50)) })],
  [1, 'ends before it begins', (draft) => on(anyOf(draft), { notBefore: inDays(9), notAfter: inDays(-9) })],
  [1, 'expired a moment ago', (draft) => on(anyOf(draft), { notAfter: { seconds: -2, form: 'utc' } })],
  [1, 'valid since a moment ago', (draft) => on(anyOf(draft), { notBefore: { seconds: -2, form: 'utc' } })],
  [
    2,
    'GeneralizedTime',
    (draft) =>
      on(anyOf(draft), {
        notBefore: { seconds: -DAY * draft.random.pick([-1, 1, 30, 40_000]), form: 'generalized' },
        notAfter: { seconds: DAY * draft.random.pick([-1, 1, 30, 11_000, 100_000]), form: 'generalized' },
      }),
  ],
  [1, 'UTCTime of 2050 and later', (draft) => on(anyOf(draft), { notAfter: inDays(11_000) })],
  [
    2,
    'date in a form nobody may use',
    (draft) => {
      const form = draft.random.pick(['utc without seconds', 'utc with offset', 'generalized with fraction'] as const)
      const seconds = draft.random.pick([-30 * DAY, 30 * DAY])
      return on(
        anyOf(draft),
        draft.random.chance(0.5) ? { notAfter: { seconds, form } } : { notBefore: { seconds, form } },
      )
    },
  ],
  [
    3,
    'asked to the second',
    (draft) => {
      const { notBefore, notAfter } = anyOf(draft)
      draft.clock = draft.random.pick([notBefore, notAfter]).seconds + draft.random.pick([-1, 0, 1])
      return true
    },
  ],
  [
    2,
    'asked at another time',
    (draft) => {
      draft.clock = DAY * draft.random.pick([-200, -50, 5, 100, 2000])
      return true
    },
  ],
]

export const KEY_TWISTS: readonly Twist[] = [
  [3, 'leaf key of another size', (draft) => on(leafOf(draft), { key: draft.random.pick(ODD_RSA_KEYS) })],
  [3, 'authority key of another size', (draft) => onAuthority(draft, { key: draft.random.pick(ODD_RSA_KEYS) })],
  [1, 'leaf key EC', (draft) => on(leafOf(draft), { key: draft.random.pick(EC_KEYS) })],
  [3, 'authority key EC', (draft) => onAuthority(draft, { key: draft.random.pick(EC_KEYS) })],
  [1, 'authority key Ed', (draft) => onAuthority(draft, { key: draft.random.pick(['ed25519', 'ed448']) })],
  [1, 'authority key RSA-PSS', (draft) => onAuthority(draft, { key: 'rsapss' })],
  [1, 'two certificates, one key', (draft) => on(anyOf(draft), { key: anyOf(draft).key })],
]

export const SIGNATURE_TWISTS: readonly Twist[] = [
  [
    3,
    'weak digest',
    (draft) => on(anyOf(draft), { signature: { digest: draft.random.pick(['sha1', 'sha1', 'md5'] as const) } }),
  ],
  [
    2,
    'other digest',
    (draft) => on(anyOf(draft), { signature: { digest: draft.random.pick(['sha224', 'sha384', 'sha512'] as const) } }),
  ],
  [
    2,
    'RSA-PSS signature',
    (draft) =>
      on(anyOf(draft), {
        signature: { digest: draft.random.pick(['sha256', 'sha384', 'sha512', 'sha1'] as const), pss: true },
      }),
  ],
  [1, 'unknown signature algorithm', (draft) => on(anyOf(draft), { signature: { digest: 'sha256', unknown: true } })],
  [2, 'signature tampered with', (draft) => on(anyOf(draft), { tampered: 'signature' })],
  [1, 'contents tampered with', (draft) => on(anyOf(draft), { tampered: 'signed part' })],
  [
    2,
    'signed with another key',
    (draft) => on(anyOf(draft), { signedWith: draft.random.pick(['rsa2048-0', 'rsa2048-5', 'p256', 'rsa1024']) }),
  ],
  [
    2,
    'two signature algorithms',
    (draft) =>
      on(anyOf(draft), {
        innerSignature: draft.random.pick([
          { digest: 'sha384' },
          { digest: 'sha1' },
          { digest: 'sha256', pss: true },
        ] as const),
      }),
  ],
]
