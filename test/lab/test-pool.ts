/** A lab for one test file: brought up before, taken down afterwards, called on its hosts' own sockets. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { shortenSocketPath } from '../../src/base/files/local-socket.js'
import { type LabDocument, type LabFault, type LabUpOptions, labDown, labFault, labUp } from '../../src/lab/index.js'
import { ApiFailure, type ApiValue, decodeJsonRpcResponse, encodeJsonRpcCall } from '../../src/xapi/index.js'
import { buildHostProgram } from './lab-program.js'

export class TestPool {
  readonly root = mkdtempSync(join(tmpdir(), 'openwlb-lab-'))
  /** Path of the hosts' program. */
  readonly program: string
  document: LabDocument = { pool: '', username: '', password: '', reader: null, speed: 1, seed: 0, hosts: [] }

  constructor(program: string) {
    this.program = program
  }

  async up(options: Omit<LabUpOptions, 'root'> = {}): Promise<boolean> {
    const { document, already } = await labUp({
      refusalDelayMs: 1,
      ...options,
      root: this.root,
      hostProgram: this.program,
    })
    this.document = document
    return already
  }

  async remove(): Promise<void> {
    await labDown(this.root)
    rmSync(this.root, { recursive: true, force: true })
  }

  fault(action: LabFault, host: string): Promise<void> {
    return labFault({ root: this.root, action, host, hostProgram: this.program })
  }

  host(name: string) {
    const found = this.document.hosts.find((host) => host.name === name)
    if (!found) throw new Error(`no host ${name}`)
    return found
  }

  /** Path inside a host's root. */
  path(host: string, path: string): string {
    return join(this.host(host).root, path)
  }

  files(host: string, folder: string): string {
    return this.fileNames(host, folder).sort().join(' ')
  }

  fileNames(host: string, folder: string): string[] {
    return readdirSync(this.path(host, folder)).filter((name) => name.endsWith('.pem'))
  }

  text(host: string, path: string): string {
    return readFileSync(this.path(host, path), 'utf8')
  }

  /** Calls as root on a host's own socket, with a fresh session; throws ApiFailure. */
  async call(host: string, method: string, ...params: ApiValue[]): Promise<ApiValue> {
    const session = await this.raw(host, 'session.login_with_password', 'root', '')
    return this.raw(host, method, session, ...params)
  }

  /** The outcome in a word: `ok`, or the code and parameters of the failure. */
  async outcome(host: string, method: string, ...params: ApiValue[]): Promise<string> {
    try {
      await this.call(host, method, ...params)
      return 'ok'
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error
      return [error.code, ...error.params].join(' ')
    }
  }

  async raw(host: string, method: string, ...params: ApiValue[]): Promise<ApiValue> {
    const body = encodeJsonRpcCall({ version: '2.0', method, params, id: 1n })
    const { result } = decodeJsonRpcResponse(await this.post(host, '/jsonrpc', body))
    if (result.status === 'success') return result.value
    const [code = '', ...rest] = result.description
    throw new ApiFailure(code, rest)
  }

  post(host: string, path: string, body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = shortenSocketPath(this.path(host, 'var/lib/xcp/xapi'))
      const sent = request({ socketPath: socket.path, method: 'POST', path }, async (response) => {
        let text = ''
        for await (const piece of response.setEncoding('utf8')) text += piece
        resolve(text)
      })
      sent.on('error', reject)
      sent.on('close', () => socket.close())
      sent.end(body)
    })
  }

  /** The reference of a host. */
  async ref(host: string, asked = 'xs1'): Promise<string> {
    return String(await this.call(asked, 'host.get_by_uuid', this.host(host).uuid))
  }
}

export function usePool(options: Omit<LabUpOptions, 'root'> = {}): TestPool {
  const pool = new TestPool(buildHostProgram())
  beforeAll(async () => {
    await pool.up(options)
  })
  afterAll(() => pool.remove())
  return pool
}
