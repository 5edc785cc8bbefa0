/** What can be wrong with what is read and changed on other machines over SSH: an appliance's files, a host's trust store. */
import { defineErrors } from '../../base/error.js'
import { quoteWord } from '../../base/text/quote-word.js'
import { sshCommand } from '../../ssh/index.js'

type Fact = string | number | boolean
const onTarget =
  (command: string) =>
  ({ target }: { readonly target: Fact }) =>
    sshCommand(String(target), command)
const onFile =
  (command: string) =>
  ({ target, file }: { readonly target: Fact; readonly file: Fact }) =>
    sshCommand(String(target), `${command} ${quoteWord(String(file))}`)
const restart = ({ target, restartCommand }: { readonly target: Fact; readonly restartCommand: Fact }) =>
  sshCommand(String(target), quoteWord(String(restartCommand)))

const INSTALL = 'wlb trust install USER@HOST FILES --key FILE'

export const remoteErrors = defineErrors({
  HOST_STORE_TOO_LARGE: {
    message: 'The trust store of the host holds more than such a store can.',
    facts: ['target', 'name', 'limit'],
    remedy: onTarget('du -ab /etc/stunnel'),
  },
  HOST_STORE_UNREADABLE: {
    message: 'The trust store of the host could not be read over SSH.',
    facts: ['target', 'why'],
    remedy: onTarget('ls -l /etc/stunnel/certs /etc/stunnel/crls'),
  },
  MANAGE_INTERRUPTED: {
    message:
      'The SSH connection was cut in the middle; the same command again finds the note there, and goes on or goes back.',
    facts: ['target', 'step', 'command'],
    remedy: INSTALL,
  },
  MANAGE_NOT_PROVED: {
    message: ({ servedNow }) =>
      servedNow === undefined
        ? 'The appliance does not serve the certificate that is in place, and there is no pair before to go back to.'
        : 'The appliance did not serve the new certificate; the pair before is back in place, and it is not served either.',
    facts: ['target', 'address', 'port', 'expected', 'seen', '(restartCommand)', 'restartSaid?', 'servedNow?'],
    remedy: restart,
  },
  MANAGE_NOT_REPAIRABLE: {
    message:
      'An attempt that was cut off has left a certificate and a key that do not belong together, and the pair before is gone.',
    facts: ['target', 'certificate', 'key'],
    remedy: onTarget('ls -l /etc/ssl/certs'),
  },
  MANAGE_OVERTAKEN: {
    message: 'Another attempt on this appliance has begun since; this one stops, and leaves everything to the other.',
    facts: ['target', 'step'],
    remedy: `${INSTALL} --dry-run`,
  },
  MANAGE_ROLLED_BACK: {
    message: 'The appliance did not serve the new certificate; the pair before is back in place and served as before.',
    facts: ['target', 'address', 'port', 'expected', 'seen', 'restartSaid?', 'servedNow'],
    remedy: `${INSTALL} --restart-command COMMAND`,
  },
  MANAGE_UNREADABLE: {
    message: 'The appliance does not say what lies in its folder of certificates as a POSIX shell would.',
    facts: ['target', 'said'],
    remedy: onTarget('ls -l /etc/ssl/certs'),
  },
  NO_CERTIFICATE_FETCHED: {
    message: 'There is no certificate in the file.',
    facts: ['file'],
    remedy: 'wlb trust fetch --from-tls HOST:PORT --fingerprint SHA256',
  },
  PRIVATE_KEY_NOT_WANTED: {
    message:
      'The file holds a private key beside the certificate; it was not copied, since a pool would hand it to every host.',
    facts: ['file'],
    remedy: "sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' /etc/ssl/certs/server.pem, on the appliance",
  },
  RESTORE_INTERRUPTED: {
    message:
      'The SSH connection was cut while the pair before was put back; the same command again finds the note there, and ends it.',
    facts: ['target'],
    remedy: 'wlb trust undo',
  },
  RESTORE_NOT_KEPT: {
    message:
      'The pair that the appliance had before is not kept there any more, so it cannot be put back; nothing was changed.',
    facts: ['target', 'kept'],
    remedy: INSTALL,
  },
  RESTORE_NOT_PROVED: {
    message: 'The pair before is back in its place on the appliance, and it is not served.',
    facts: ['target', 'expected', 'seen', '(restartCommand)', 'restartSaid?'],
    remedy: restart,
  },
  SSH_FILE_MISSING: {
    message: 'There is no such file on the other machine.',
    facts: ['target', 'file'],
    remedy: 'wlb trust fetch USER@HOST --appliance-root DIR',
  },
  SSH_FILE_TOO_LARGE: {
    message: 'No such file is that large; nothing of it was kept.',
    facts: ['target', 'file', 'limitBytes'],
    remedy: onFile('ls -l'),
  },
  SSH_FILE_UNREADABLE: {
    message: 'The user may not read that file on the other machine, or it is none.',
    facts: ['target', 'file'],
    remedy: onFile('ls -ld'),
  },
  USAGE_NEEDS_KEY: {
    message: 'The private key has to be given: the one on the appliance is not read.',
    facts: ['missing'],
    remedy: INSTALL,
  },
})
export const { fail } = remoteErrors
