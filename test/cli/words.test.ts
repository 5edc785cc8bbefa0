/** What people see, byte by byte: help, and the answer to a wrong call. UPDATE with `vitest -u`, and read the change. */
import { expect, it } from 'vitest'
import { run } from './program.js'

const calls: [file: string, words: string][] = [
  ['jobs', ''],
  ['help', '--help'],
  ['help-setup', 'setup --help'],
  ['help-cert-request', 'cert request --help'],
  ['help-lab-exec', 'lab exec --help'],
  ['help-lab-break', 'lab break --help'],
  ['help-lab-fault', 'lab fault --help'],
  ['help-cert-rollback', 'cert rollback --help'],
  ['help-cert-export', 'cert export --help'],
  ['help-cert-self-signed', 'cert self-signed --help'],
  ['cert-not-set-up', '--root /nowhere/at/all cert history --json'],
  ['cert-two-parts', '--root /nowhere/at/all cert export --root --leaf'],
  ['cert-key-bits', 'cert self-signed --key-bits 1024'],
  ['help-ca-create', 'ca create --help'],
  ['help-ca-sign', 'ca sign --help'],
  ['help-ca-revoke', 'ca revoke --help'],
  ['help-ca-crl', 'ca crl --help'],
  ['no-authority', '--root /nowhere/at/all ca list'],
  ['no-authority-json', 'ca crl --dir /nowhere/at/all --passphrase-file /dev/null --json'],
  ['ca-nobody-to-ask', '--root /nowhere/at/all ca create'],
  ['ca-no-passphrase', '--root /nowhere/at/all ca create --yes'],
  ['typo', 'stauts'],
  ['not-set-up', '--root /nowhere/at/all status'],
  ['not-set-up-json', '--root /nowhere/at/all cert show --json'],
  ['request-not-set-up', '--root /nowhere/at/all cert request --yes'],
  ['request-key-bits', 'cert request --key-bits 1024'],
  ['request-key-flags', 'cert request --key k.pem --new-key --yes'],
  ['no-lab', '--root /nowhere/at/all lab status'],
  ['nobody-to-ask', '--root /nowhere/at/all setup --hostname wlb.example.com'],
  ['no-password', '--root /nowhere/at/all setup --hostname wlb.example.com --yes'],
  ['bad-port', 'setup --port eighty'],
  ['bad-port-json', 'setup --port eighty --json'],
]

it.each(calls)('%s: wlb %s', async (file, words) => {
  const { stdout, stderr, exitCode } = await run('wlb', words === '' ? [] : words.split(' '))
  const seen = `$ wlb ${words}\n--- stdout\n${stdout}--- stderr\n${stderr}--- exit ${exitCode}\n`
  await expect(seen).toMatchFileSnapshot(`golden/${file}.txt`)
})
