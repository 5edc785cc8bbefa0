import { describe, expect, it } from 'vitest'
import { parsePasswordFile, permittedFiles, readSettings, type Settings } from '../../src/cli/xe/settings.js'

const PIN = 'AB'.repeat(32)
const PRINTED = PIN.match(/../g)!.join(':')

function settings(args: string[], extraArgs?: string, rcText?: string, traceparent?: string): Settings {
  const reading = readSettings({ args, extraArgs, rcText, traceparent })
  if (reading.kind !== 'run') throw new Error(`expected settings, got ${JSON.stringify(reading)}`)
  return reading.settings
}

describe('options and keys', () => {
  const cases: [args: string, found: Partial<Settings>, sent: string][] = [
    ['pool-list', { server: '127.0.0.1', userName: 'root', password: 'null', port: undefined, tls: true }, 'pool-list'],
    ['-s h pool-list', { server: 'h' }, 'pool-list'],
    ['pool-list -h h', { server: 'h' }, 'pool-list'],
    ['pool-list server=h', { server: 'h' }, 'pool-list'],
    ['-p 8443 x', { port: 8443 }, 'x'],
    ['x port=0', { port: 0 }, 'x'],
    ['-u admin -pw s x', { userName: 'admin', password: 's' }, 'x'],
    ['x username=admin password=a=b', { userName: 'admin', password: 'a=b' }, 'x'],
    ['-pwf f x', { passwordFile: 'f' }, 'x'],
    ['x passwordfile=f', { passwordFile: 'f' }, 'x'],
    ['--nossl x', { tls: false }, 'x'],
    ['x nossl=false', { tls: true }, 'x'],
    ['--debug x', { debug: true }, 'x'],
    ['x debug=maybe', { debug: false }, 'x'],
    ['--debug-on-fail x', { debugOnFail: true }, 'x'],
    ['--traceparent t x', { traceparent: 't' }, 'x'],
    ['x --minimal --multiple --trace params=all', {}, 'x --minimal --multiple --trace params=all'],
    ['x --cacert f', { trust: { kind: 'ca-file', file: 'f' } }, 'x'],
    ['x cacert=f', { trust: { kind: 'ca-file', file: 'f' } }, 'x'],
    [`x --fingerprint ${PIN}`, { trust: { kind: 'pin', fingerprint: PRINTED } }, 'x'],
    [`x fingerprint=${PRINTED.toLowerCase()}`, { trust: { kind: 'pin', fingerprint: PRINTED } }, 'x'],
    [`certificate-list fingerprint=${PRINTED}`, { trust: { kind: 'none' } }, `certificate-list fingerprint=${PRINTED}`],
    [`certificate-list --fingerprint ${PIN}`, { trust: { kind: 'pin', fingerprint: PRINTED } }, 'certificate-list'],
    [`-s h certificate-list fingerprint=${PRINTED}`, { server: 'h' }, `certificate-list fingerprint=${PRINTED}`],
    ['x -s', {}, 'x -s'],
    ['x =y', {}, 'x =y'],
    ['x uuid=1 constructor', {}, 'x uuid=1 constructor'],
  ]
  it.each(cases)('%s', (args, found, sent) => {
    expect(settings(args.split(' '))).toMatchObject(found)
    expect(settings(args.split(' ')).args.join(' ')).toBe(sent)
  })
})

describe('which source wins', () => {
  it('command line before XE_EXTRA_ARGS before ~/.xe', () => {
    expect(settings(['x', '-s', 'line'], 'server=extra', 'server=rc').server).toBe('line')
    expect(settings(['x'], 'server=extra', 'server=rc').server).toBe('extra')
    expect(settings(['x'], '-s,extra', 'server=rc').server).toBe('extra')
    expect(settings(['x'], undefined, 'server=rc').server).toBe('rc')
  })

  it('what is left is sent in that order too', () => {
    expect(settings(['x', 'a=1'], '--minimal,b=2', 'c=3\nserver=h\nd=4').args).toEqual([
      'x',
      'a=1',
      '--minimal',
      'b=2',
      'c=3',
      'd=4',
    ])
  })

  it('the environment’s trace context stands between the files and the command line', () => {
    expect(settings(['x'], 'traceparent=extra', undefined, 'environment').traceparent).toBe('environment')
    expect(settings(['x', 'traceparent=line'], undefined, undefined, 'environment').traceparent).toBe('line')
  })

  it('a fingerprint in a settings file is a setting, whatever the command', () => {
    expect(settings(['certificate-list'], `fingerprint=${PIN}`).trust).toEqual({ kind: 'pin', fingerprint: PRINTED })
  })
})

describe('XE_EXTRA_ARGS', () => {
  const cases: [text: string, args: string[]][] = [
    ['', []],
    ['a=1,b=2', ['a=1', 'b=2']],
    ['a=1\\,2,b=3', ['a=1,2', 'b=3']],
    ['a=\\x\\\\y', ['a=xy']],
    [',,a=1,', ['a=1']],
  ]
  it.each(cases)('%s', (text, args) => {
    expect(settings(['x'], text).args.slice(1)).toEqual(args)
  })
})

describe('~/.xe', () => {
  it('takes key=value lines and ignores blank ones', () => {
    expect(settings(['x'], undefined, '\nserver=h\r\n   \npassword=a=b\n')).toMatchObject({
      server: 'h',
      password: 'a=b',
    })
  })

  it('is ignored as a whole when a line is wrong', () => {
    const reading = readSettings({
      args: ['x'],
      extraArgs: undefined,
      rcText: 'server=h\nwrong',
      traceparent: undefined,
    })
    expect(reading).toMatchObject({
      settings: { server: '127.0.0.1' },
      warnings: ['Error parsing rc file. No defaults loaded'],
    })
  })
})

describe('calls that end at once', () => {
  it('but a command in XE_EXTRA_ARGS alone runs', () => {
    expect(settings([], 'pool-list,server=h')).toMatchObject({ server: 'h', args: ['pool-list'] })
  })

  const BAD_PORT = 'Port number must be an integer (0-65535)'
  const cases: [args: string[], reading: object][] = [
    [[], { kind: 'usage' }],
    [['-s', 'h', '-u', 'root', '-pw', 'x'], { kind: 'usage' }],
    [['server=h', 'password=x', '--debug'], { kind: 'usage' }],
    [['x', '-help'], { kind: 'usage' }],
    [['--help'], { kind: 'usage' }],
    [['x', '-version'], { kind: 'version' }],
    [['x', '-p', 'http'], { kind: 'usage', complaint: BAD_PORT }],
    [['x', 'port=65536'], { kind: 'usage', complaint: BAD_PORT }],
    [['x', 'port='], { kind: 'usage', complaint: BAD_PORT }],
    [['x', 'port=-1'], { kind: 'usage', complaint: BAD_PORT }],
    [['x', 'nossl=yes'], { kind: 'refused', complaint: 'nossl must be true or false' }],
    [
      ['x', '--fingerprint', 'AB:CD'],
      { kind: 'refused', complaint: 'a SHA-256 fingerprint has 64 hexadecimal digits' },
    ],
  ]
  it.each(cases)('%j', (args, reading) => {
    expect(readSettings({ args, extraArgs: undefined, rcText: undefined, traceparent: undefined })).toEqual(reading)
  })
})

describe('the password file', () => {
  const cases: [text: string, found: object | undefined][] = [
    ['root\nsecret\n', { userName: 'root', password: 'secret' }],
    ['root\r\nsecret\r\nmore', { userName: 'root', password: 'secret' }],
    ['root\nsecret', { userName: 'root', password: 'secret' }],
    ['root\n\n', { userName: 'root', password: '' }],
    ['root\n', undefined],
    ['root', undefined],
    ['', undefined],
  ]
  it.each(cases)('%j', (text, found) => {
    expect(parsePasswordFile(text)).toEqual(found)
  })
})

it('permits what stands after the first = of any argument', () => {
  const args = ['pool-x', 'filename=a.pem', 'b=', 'c= ', 'd=e=f', '--minimal', '=g']
  expect([...permittedFiles(args, (path) => `/cwd/${path}`)]).toEqual(['/cwd/a.pem', '/cwd/e=f', '/cwd/g'])
})
