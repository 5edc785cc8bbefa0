/** A real ACME authority on this machine's own loopback: Debian's pebble, with a DNS and a certificate of the test's making. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { freePort } from '../../free-port.js'
import { OWN_ADDRESS } from '../../run-folder.js'
import { daysFromNow, issue, issueAuthority } from '../../x509/test-authority.js'
import { startDns } from './dns-answerer.js'

export interface Pebble {
  readonly directory: string
  /** What its own HTTPS is verified with. */
  readonly directoryCa: string
  /** Where it asks for http-01 proofs, on the loopback. */
  readonly httpPort: number
  /** TXT records, `NAME VALUE` a line. */
  readonly dnsFile: string
  /** Adds to and removes from them as a site's own program would, and writes down how it was called. */
  readonly hook: string
  readonly hookLog: string
  /** The root that a pool would have to trust. */
  rootPem(): Promise<string>
  /** The root at the end of the other chain it offers, and its key: with PEBBLE_ALTERNATE_ROOTS=1. */
  otherRoot(): Promise<{ readonly certificatePem: string; readonly privateKeyPem: string }>
  stop(): Promise<void>
}

const HOOK = (dnsFile: string, log: string) => `#!/bin/sh
echo "$* = $WLB_ACME_ACTION $WLB_ACME_NAME $WLB_ACME_VALUE" >> '${log}'
case "$1" in
  add) echo "$2 $3" >> '${dnsFile}' ;;
  remove) grep -vxF "$2 $3" '${dnsFile}' > '${dnsFile}.new'; mv '${dnsFile}.new' '${dnsFile}' ;;
esac
`

/** With `bindings`, key identifiers and their keys, it gives accounts only to those who have one of them. */
export async function startPebble(
  program: string,
  environment: Record<string, string> = {},
  bindings?: Readonly<Record<string, string>>,
): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-pebble-'))
  const inFolder = (name: string) => join(folder, name)
  const write = (name: string, content: string, mode = 0o600) => {
    writeFileSync(inFolder(name), content, { mode })
    return inFolder(name)
  }
  const authority = await issueAuthority({ subject: 'Directory Authority', keyLabel: 'directory-ca' })
  const server = await issue({
    subject: 'localhost',
    issuer: authority,
    ipAddresses: [OWN_ADDRESS],
    dnsNames: ['localhost'],
    notAfter: daysFromNow(300),
    keyLabel: 'directory',
  })
  const [port, managementPort, httpPort, tlsPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const config = write(
    'pebble.json',
    JSON.stringify({
      pebble: {
        listenAddress: `${OWN_ADDRESS}:${port}`,
        managementListenAddress: `${OWN_ADDRESS}:${managementPort}`,
        certificate: write('server.pem', server.certificatePem),
        privateKey: write('server.key', server.privateKeyPem),
        httpPort,
        tlsPort,
        ocspResponderURL: '',
        externalAccountBindingRequired: bindings !== undefined,
        externalAccountMACKeys: bindings,
        domainBlocklist: ['blocked.test'], // pebble breaks down over names that are shorter
      },
    }),
  )
  const directoryCa = write('directory-ca.pem', authority.certificatePem)
  const [dnsFile, hookLog] = [inFolder('txt'), inFolder('hook.log')]
  const hook = write('hook', HOOK(dnsFile, hookLog), 0o700)
  const dns = await startDns(dnsFile)
  const args = ['-config', config, '-strict', '-dnsserver', `${OWN_ADDRESS}:${dns.port}`]
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0', ...environment }
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  await untilListening(child)
  const manage = (path: string) =>
    fetchText(`https://${OWN_ADDRESS}:${managementPort}/${path}`, authority.certificatePem)
  await untilAnswered(() => fetchText(`https://${OWN_ADDRESS}:${port}/dir`, authority.certificatePem))
  return {
    directory: `https://${OWN_ADDRESS}:${port}/dir`,
    directoryCa,
    httpPort,
    dnsFile,
    hook,
    hookLog,
    rootPem: () => manage('roots/0'),
    otherRoot: async () => ({ certificatePem: await manage('roots/1'), privateKeyPem: await manage('root-keys/1') }),
    stop: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      dns.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** It says where it listens, and binds a moment later. */
async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (let left = 200; ; left--) {
    try {
      await ask()
      return
    } catch (error) {
      if (left === 0) throw error
    }
    await setTimeout(25)
  }
}

function untilListening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const read = (piece: Buffer) => {
      said += piece
      if (said.includes('ACME directory available')) resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', () => reject(new Error(`pebble ended: ${said}`)))
  })
}

function fetchText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { ca }, async (response) => {
      let text = ''
      for await (const piece of response.setEncoding('utf8')) text += piece
      resolve(text)
    })
      .once('error', reject)
      .end()
  })
}
