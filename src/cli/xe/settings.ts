/**
 * Settings of one call of `xe`, from ~/.xe, XE_EXTRA_ARGS and the command line; a later source overrides an earlier one
 * (docs/protocol/thin-cli.md, opening). Arguments that are not for the client go to the server unchanged.
 */

/** How the server's certificate is verified before anything is sent. */
export type ServerTrust =
  | { readonly kind: 'none' }
  | { readonly kind: 'ca-file'; readonly file: string }
  | { readonly kind: 'pin'; readonly fingerprint: string }

export interface Settings {
  readonly server: string
  readonly port: number | undefined
  readonly userName: string
  readonly password: string
  readonly passwordFile: string | undefined
  readonly tls: boolean
  readonly trust: ServerTrust
  readonly debug: boolean
  readonly debugOnFail: boolean
  readonly traceparent: string | undefined
  /** For the server, in the order it expects: command line, XE_EXTRA_ARGS, ~/.xe. */
  readonly args: readonly string[]
}

export interface SettingsSources {
  readonly args: readonly string[]
  readonly extraArgs: string | undefined
  readonly rcText: string | undefined
  readonly traceparent: string | undefined
}

export type SettingsReading =
  | { readonly kind: 'run'; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly kind: 'version' }
  /** Print the usage text; the exit code is 0 even after a complaint, because existing scripts rely on it. */
  | { readonly kind: 'usage'; readonly complaint?: string }
  | { readonly kind: 'refused'; readonly complaint: string }

type Draft = { -readonly [key in keyof Settings]: Settings[key] }

/** Options with a value, and the key each one stands for. */
export const OPTIONS: Readonly<Record<string, string>> = {
  '-s': 'server',
  '-h': 'server',
  '-p': 'port',
  '-u': 'username',
  '-pw': 'password',
  '-pwf': 'passwordfile',
  '--traceparent': 'traceparent',
  '--cacert': 'cacert',
  '--fingerprint': 'fingerprint',
}

export const SWITCHES: Readonly<Record<string, string>> = {
  '--nossl': 'nossl',
  '--debug': 'debug',
  '--debug-on-fail': 'debugonfail',
}

export const VERSION_TEXT = 'ThinCLI protocol: 0.2\n'

export const USAGE_TEXT = `Usage: xe COMMAND [name=value ...] [options]

  -s, -h SERVER       the pool's coordinator           server=        (127.0.0.1: this host, by its local socket)
  -p PORT             443 with TLS, 80 without         port=
  -u NAME             user name                        username=      (root)
  -pwf FILE           line 1 user name, line 2 password  passwordfile=
  -pw PASSWORD        password, better left to -pwf    password=
  --cacert FILE       trust anchors the server's certificate must lead to    cacert=
  --fingerprint HEX   SHA-256 the server's certificate must have             fingerprint=
  --nossl             plain TCP                        nossl=true
  --debug             trace on stderr                  debug=true
  --debug-on-fail     the same trace, only when the command fails            debugonfail=true
  --traceparent ID    trace context to send along      traceparent=
  -version            protocol version
  -help, --help       this text

Each option can also stand in XE_EXTRA_ARGS (separated by commas) and, as name=value lines, in ~/.xe.
With certificate-... commands fingerprint= is a field of the certificates; there, use --fingerprint for the server.

The server lists its commands:  xe help --all -s SERVER
One of them in detail:          xe help COMMAND -s SERVER
`

/** Reads all sources. Nothing is opened here: the password file and the trust anchors are named, not read. */
export function readSettings(sources: SettingsSources): SettingsReading {
  const { args } = sources
  if (args.includes('-version')) return { kind: 'version' }
  if (args.includes('-help') || args.includes('--help')) return { kind: 'usage' }

  const draft = defaults()
  try {
    const rc = parseRcFile(sources.rcText ?? '')
    const fromRc = take(draft, rc.lines, 'settings')
    const fromExtras = take(draft, splitExtraArgs(sources.extraArgs ?? ''), 'settings')
    if (sources.traceparent) draft.traceparent = sources.traceparent
    const fromLine = take(draft, args, 'command')
    const settings = { ...draft, args: [...fromLine, ...fromExtras, ...fromRc] }
    if (settings.args.length === 0) return { kind: 'usage' } // only settings, and nothing to do
    return { kind: 'run', settings, warnings: rc.warnings }
  } catch (error) {
    if (error instanceof BadPort) return { kind: 'usage', complaint: 'Port number must be an integer (0-65535)' }
    if (error instanceof BadSetting) return { kind: 'refused', complaint: error.message }
    throw error
  }
}

/** Files the server may ask for: whatever an argument names after its first `=`, made absolute by `makeAbsolute`. */
export function permittedFiles(args: readonly string[], makeAbsolute: (path: string) => string): Set<string> {
  const named = args.filter((arg) => arg.includes('=')).map((arg) => arg.slice(arg.indexOf('=') + 1))
  return new Set(named.filter((path) => path.trim() !== '').map(makeAbsolute))
}

/** User name and password on the first two lines; undefined when there are not two. */
export function parsePasswordFile(text: string): { userName: string; password: string } | undefined {
  const [userName, password, ...rest] = text.split(/\r?\n/)
  if (userName === undefined || password === undefined) return undefined
  return password === '' && rest.length === 0 ? undefined : { userName, password }
}

function defaults(): Draft {
  return {
    server: '127.0.0.1',
    port: undefined,
    userName: 'root',
    password: 'null',
    passwordFile: undefined,
    tls: true,
    trust: { kind: 'none' },
    debug: false,
    debugOnFail: false,
    traceparent: undefined,
    args: [],
  }
}

/** Takes the client's own settings into the draft and returns the rest, in order. */
function take(draft: Draft, args: readonly string[], where: 'command' | 'settings'): string[] {
  const rest: string[] = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    const next = args[at + 1]
    const option = Object.hasOwn(OPTIONS, arg) ? OPTIONS[arg] : undefined
    const toggle = Object.hasOwn(SWITCHES, arg) ? SWITCHES[arg] : undefined
    if (option !== undefined && next !== undefined) {
      apply(draft, option, next)
      at++
    } else if (toggle !== undefined) apply(draft, toggle, 'true')
    else {
      const equals = arg.indexOf('=')
      const key = arg.slice(0, Math.max(equals, 0))
      // For certificate commands `fingerprint=` is a filter.
      const isFilter = key === 'fingerprint' && where === 'command' && rest[0]?.startsWith('certificate-') === true
      if (isFilter || !apply(draft, key, arg.slice(equals + 1))) rest.push(arg)
    }
  }
  return rest
}

/** False for a key that is not the client's. */
function apply(draft: Draft, key: string, value: string): boolean {
  switch (key) {
    case 'server':
      draft.server = value
      return true
    case 'port':
      draft.port = parsePort(value)
      return true
    case 'username':
      draft.userName = value
      return true
    case 'password':
      draft.password = value
      return true
    case 'passwordfile':
      draft.passwordFile = value
      return true
    case 'nossl':
      if (value !== 'true' && value !== 'false') throw new BadSetting('nossl must be true or false')
      draft.tls = value === 'false'
      return true
    case 'cacert':
      draft.trust = { kind: 'ca-file', file: value }
      return true
    case 'fingerprint':
      draft.trust = { kind: 'pin', fingerprint: parseFingerprint(value) }
      return true
    case 'debug':
      draft.debug = value === 'true'
      return true
    case 'debugonfail':
      draft.debugOnFail = value === 'true'
      return true
    case 'traceparent':
      draft.traceparent = value
      return true
    default:
      return false
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65535)) throw new BadPort()
  return port
}

/** Accepts the usual notations of a SHA-256 fingerprint; returns it as XenAPI prints it. */
function parseFingerprint(text: string): string {
  const digits = text
    .replace(/^sha-?256[:=]/i, '')
    .replace(/[:\s]/g, '')
    .toUpperCase()
  if (!/^[0-9A-F]{64}$/.test(digits)) throw new BadSetting('a SHA-256 fingerprint has 64 hexadecimal digits')
  return digits.match(/../g)!.join(':')
}

/** Commas separate, `\,` is a comma; other backslashes are removed. */
function splitExtraArgs(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((item) => item.replaceAll('\\', ''))
    .filter((item) => item !== '')
}

function parseRcFile(text: string): { lines: string[]; warnings: string[] } {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  if (lines.every((line) => line.includes('='))) return { lines, warnings: [] }
  return { lines: [], warnings: ['Error parsing rc file. No defaults loaded'] }
}

class BadPort extends Error {}
class BadSetting extends Error {}
