/** Real files for the readers of certificates and keys, made by the openssl that is installed; each once. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface OpensslFolder {
  readonly folder: string
  /** Runs openssl there; the words are split at blanks. */
  openssl(command: string): Buffer
  read(file: string): Buffer
  write(file: string, content: string | Buffer): void
  remove(): void
}

export function makeOpensslFolder(): OpensslFolder {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-files-'))
  return {
    folder,
    openssl: (command) =>
      execFileSync('openssl', command.split(' '), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }),
    read: (file) => readFileSync(join(folder, file)),
    write: (file, content) => writeFileSync(join(folder, file), content),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A root, a leaf it signed, its key, a request and a CRL-free PKCS#7 of both, as files `root.pem`, `leaf.pem`, ... */
export function makeChainFiles({ openssl, write, read }: OpensslFolder): void {
  openssl('req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -subj /CN=Example_Root -days 30')
  openssl('req -newkey rsa:2048 -nodes -keyout leaf.key -out csr -subj /CN=wlb.example.com')
  openssl('x509 -req -in csr -CA root.pem -CAkey root.key -set_serial 7 -out leaf.pem -days 20')
  write('both.pem', Buffer.concat([read('leaf.pem'), read('root.pem')]))
}
