/** Twists of the bundle file: what was installed is one thing, what can be read of it another. */
import { SERVER_AUTH } from './draft.js'
import type { Twist } from './twist.js'

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const ANY = '2.5.29.37.0'
const JUNK = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const CUT = '-----BEGIN CERTIFICATE-----\nMIIDazCCAlOgAwIBAgIUJ\n'
const BEGIN = '-----BEGIN CERTIFICATE-----'

const rewrites: readonly (readonly [what: string, rewrite: (text: string) => string | undefined])[] = [
  ['no bundle', () => undefined],
  ['empty bundle', () => ''],
  ['junk before the bundle', (text) => JUNK + text],
  ['junk after the bundle', (text) => text + JUNK],
  ['junk inside the bundle', (text) => text.replace(`\n${BEGIN}`, `\n${JUNK}${BEGIN}`)],
  ['cut block after the bundle', (text) => text + CUT],
  ['bundle cut', (text) => text.slice(0, -200)],
  ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
  ['byte order mark', (text) => `\uFEFF${text}`],
  ['text and blanks around', (text) => `# ours\n\n${text.replaceAll('-----\n', '-----  \n')}\nthe end`],
  ['lines joined', (text) => text.replaceAll('-----\n-----', '----------')],
  ['labels of old', (text) => text.replaceAll(' CERTIFICATE', ' X509 CERTIFICATE')],
  ['a blank line inside', (text) => text.replace(/(\n.{64}\n)/, '$1\n')],
  [
    'one long line',
    (text) => text.replace(/-----\n([^-]*)\n-----/g, (_, body: string) => `-----\n${body.replaceAll('\n', '')}\n-----`),
  ],
]

export const BUNDLE_TWISTS: readonly Twist[] = [
  ...rewrites.map(
    ([what, rewrite]): Twist => [
      0.5,
      what,
      (draft) => {
        draft.bundle.rewrite.push(rewrite)
        return true
      },
    ],
  ),
  [
    4,
    'TRUSTED CERTIFICATE',
    (draft) => {
      const { random, bundle } = draft
      const purposes = [[SERVER_AUTH], [CLIENT_AUTH], [ANY], [SERVER_AUTH, CLIENT_AUTH], []]
      bundle.settings.set(random.pick(bundle.trusted), {
        ...(random.chance(0.6) && { trust: random.pick(purposes) }),
        ...(random.chance(0.5) && { reject: random.pick(purposes) }),
      })
      return true
    },
  ],
]
