/** The small authority from the command line, as a script types it: make, sign, merge, revoke, and the answer to wrong calls. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { requirePart } from '../real-parts.js'
import { makeFolder, removeFolder, run } from './program.js'

const openssl = requirePart('openssl')
describe.skipIf(!openssl)('an authority (needs openssl)', () => {
  const root = makeFolder()
  const at = (name: string) => join(root, name)
  const ca = join(root, 'var/lib/openwlb/ca')
  const secret = ['--passphrase-file', at('passphrase')]
  const wlb = (...args: string[]) => run('wlb', ['--root', root, 'ca', ...args])
  const json = async (...args: string[]) => JSON.parse((await wlb(...args, '--json')).stdout)
  afterAll(() => removeFolder(root))

  beforeAll(async () => {
    writeFileSync(at('passphrase'), 'correct horse\n')
    writeFileSync(at('wrong'), 'wrong\n')
    const subject = '/C=CA/ST=S/L=L/O=Example/CN=wlb.example.lab/emailAddress=wlb@example.lab'
    const names = 'subjectAltName=DNS:wlb.example.lab,DNS:*.lab,IP:192.0.2.1'
    const args = ['req', '-new', '-newkey', 'rsa:2048', '-noenc', '-keyout', at('key'), '-out', at('csr')]
    execFileSync('openssl', [...args, '-subj', subject, '-addext', names], { stdio: 'ignore' })
    const good = readFileSync(at('csr'), 'latin1').split('\n')
    const der = Buffer.from(good.slice(1, -2).join(''), 'base64')
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
    writeFileSync(at('csr-tampered'), der)
    const made = await wlb('create', '--name', 'Example', ...secret, '--yes')
    expect(made).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('for labs and small sites') })
  })

  test('create again keeps what is there', async () => {
    const before = readFileSync(join(ca, 'root_ca.pem'))
    expect(await json('create', ...secret, '--yes')).toMatchObject({ already: true, name: 'Example', issued: [] })
    expect(readFileSync(join(ca, 'root_ca.pem'))).toEqual(before)
  })

  test('signed, merged as the procedure merges it, accepted, revoked, refused', async () => {
    const signed = await json('sign', at('csr'), ...secret, '--yes')
    expect(signed).toMatchObject({
      subject: 'emailAddress=wlb@example.lab, CN=wlb.example.lab, O=Example, L=L, ST=S, C=CA',
      names: ['wlb.example.lab', '192.0.2.1'],
      refused: [{ kind: 'dns', name: '*.lab', why: expect.any(String) }],
      files: {
        signed: join(ca, 'signed_cert.pem'),
        intermediate: join(ca, 'intermediate_ca.pem'),
        root: join(ca, 'root_ca.pem'),
      },
    })
    execFileSync('sh', ['-c', 'cat signed_cert.pem intermediate_ca.pem root_ca.pem > server.pem'], { cwd: ca })
    const verify = (...more: string[]) => {
      const strict = ['-x509_strict', '-purpose', 'sslserver', '-CAfile', 'root_ca.pem', '-untrusted', 'server.pem']
      return spawnSync('openssl', ['verify', ...strict, ...more, 'server.pem'], { cwd: ca, encoding: 'utf8' })
    }
    expect(verify().stdout).toBe('server.pem: OK\n')

    expect(await json('crl', ...secret)).toMatchObject({ of: 'intermediate', forPools: true, number: 1, revoked: 0 })
    expect(verify('-crl_check', '-CRLfile', 'crl.pem').stdout).toBe('server.pem: OK\n')
    const revoked = await json('revoke', join(ca, 'signed_cert.pem'), '--reason', 'superseded', ...secret, '--yes')
    expect(revoked).toMatchObject({ serialNumber: signed.serialNumber, already: false, crl: { number: 2, revoked: 1 } })
    expect(verify('-crl_check', '-CRLfile', 'crl.pem').stderr).toContain('certificate revoked')
    expect(await json('revoke', signed.serialNumber, ...secret, '--yes')).toMatchObject({ already: true })
    expect(await json('list')).toMatchObject({ issued: [{ serialNumber: signed.serialNumber, state: 'revoked' }] })
  })

  test('the passphrase, or the request, from standard input', () => {
    const type = (args: string[], input: Buffer | string) =>
      spawnSync('node', [join(import.meta.dirname, '../../dist/wlb.js'), 'ca', ...args, '--dir', ca, '--yes'], {
        input,
      })
    expect(type(['sign', at('csr'), '--passphrase-file', '-'], 'correct horse\n').status).toBe(0)
    expect(type(['sign', '-', ...secret], readFileSync(at('csr'))).status).toBe(0)
    expect(type(['sign', '-', '--passphrase-file', '-'], '').status).toBe(2)
  })

  const wrong: [args: string, exitCode: number, code: string][] = [
    ['sign CSR --passphrase-file WRONG --yes', 1, 'KEY_PASSPHRASE_WRONG'],
    ['sign CSR --passphrase-file SECRET', 2, 'USAGE_NEEDS_YES'],
    ['sign CSR --yes', 2, 'USAGE_NEEDS_ANSWERS'],
    ['sign CSR --days 825 --yes', 2, 'USAGE_LIFETIME'],
    ['sign CSR --allow example.com --yes', 1, 'REQUEST_NAMES_REFUSED'],
    ['sign TAMPERED --yes', 1, 'REQUEST_SIGNATURE_WRONG'],
    ['sign SECRET --yes', 1, 'REQUEST_MALFORMED'],
    ['sign NOTHING --yes', 1, 'INPUT_UNREADABLE'],
    ['sign CSR --out KEY --passphrase-file SECRET --yes', 1, 'OUTPUT_OCCUPIED'],
    ['create --name Other --passphrase-file SECRET --yes', 1, 'AUTHORITY_NAME_DIFFERS'],
    ['revoke 4711 --passphrase-file SECRET --yes', 1, 'CERTIFICATE_NOT_ISSUED_HERE'],
    ['revoke CSR --passphrase-file SECRET --yes', 2, 'USAGE_SERIAL_OR_FILE'],
    ['revoke xyz --passphrase-file SECRET --yes', 2, 'USAGE_SERIAL_OR_FILE'],
    ['crl --days 0 --passphrase-file SECRET', 2, 'USAGE_CRL_LIFETIME'],
  ]
  it.each(wrong)('wlb ca %s: exit %i, %s', async (words, exitCode, code) => {
    const files: Record<string, string> = {
      CSR: 'csr',
      TAMPERED: 'csr-tampered',
      SECRET: 'passphrase',
      WRONG: 'wrong',
      KEY: 'key',
      NOTHING: 'nothing',
    }
    const before = readFileSync(join(ca, 'index.json'))
    const args = words.split(' ').map((word) => (files[word] === undefined ? word : at(files[word])))
    const ended = await wlb(...args, '--json')
    expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code } })
    expect(ended.exitCode).toBe(exitCode)
    expect(readFileSync(join(ca, 'index.json'))).toEqual(before)
    expect(existsSync(at('nothing'))).toBe(false)
  })
})
