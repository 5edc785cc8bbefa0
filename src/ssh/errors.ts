/** What can be wrong with a machine that is reached over SSH. */
import { dirname } from 'node:path'
import { defineErrors } from '../base/error.js'
import { quoteWord, shell } from '../base/text/quote-word.js'
import { renderSshTarget, sshCommand } from './target.js'

type Fact = string | number | boolean
const knock = ({ host, port }: { readonly host: Fact; readonly port: Fact }) => shell`nc -vz ${host} ${port}`
interface Place {
  readonly user: Fact
  readonly host: Fact
  readonly port: Fact
  /** What `ssh` has to be given where the user's settings say how to get there. */
  readonly alias?: Fact | undefined
}
const logIn = ({ user, host, port, alias }: Place) => shell`ssh -v -p ${port} ${user}@${alias ?? host} true`
const runByHand = ({ target, command }: { readonly target: Fact; readonly command: Fact }) =>
  sshCommand(String(target), quoteWord(String(command)))
const FINGERPRINT_ON_HOST = 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, on the host itself'

export const sshErrors = defineErrors({
  SSH_TOO_MANY_KEYS: {
    message:
      'The agent holds more keys than the SSH server lets somebody try, and the right one was not among the first.',
    facts: ['user', 'host', 'port', 'alias?', 'tried', 'missing'],
    remedy: ({ user, host, port, alias }) => {
      const target = { user: String(user), host: String(alias ?? host), port: Number(port) }
      return `wlb trust fetch ${quoteWord(renderSshTarget(target))} --ssh-key FILE`
    },
  },
  SSH_AUTH_FAILED: {
    message: 'The SSH server did not accept the user by anything that was tried.',
    facts: ['user', 'host', 'port', 'alias?', 'tried'],
    remedy: logIn,
  },
  SSH_COMMAND_FAILED: {
    message: 'A command failed on the other machine.',
    facts: ['target', 'command', 'exitCode', 'stderr'],
    remedy: runByHand,
  },
  SSH_COMMAND_NOT_RUN: {
    message:
      'The other side did something else than the command it was sent: its shell or its sshd decides what runs there.',
    facts: ['target', 'command', 'exitCode', 'said'],
    remedy: ({ target }) => shell`ssh ${target} echo answer`,
  },
  SSH_COMMAND_TIMEOUT: {
    message: 'A command on the other machine did not end in time.',
    facts: ['target', 'command', 'timeoutMs'],
    remedy: runByHand,
  },
  SSH_CONNECTION_LOST: {
    message: 'The SSH connection was cut while a command ran; whether it has run to its end is not known.',
    facts: ['target', 'command'],
    remedy: ({ target }) => sshCommand(String(target), 'true'),
  },
  SSH_FAILED: {
    message: 'The SSH connection broke before a command could be sent.',
    facts: ['(user)', 'host', 'port', 'alias?', 'why', 'stage'],
    remedy: logIn,
  },
  SSH_FINGERPRINT_MISMATCH: {
    message: 'The host shows another key than the one whose fingerprint was given.',
    facts: ['host', 'alias?', 'given', 'seen'],
    remedy: FINGERPRINT_ON_HOST,
  },
  SSH_HOST_KEY_CHANGED: {
    message: 'The host shows another key than the one it is known by: it was set up anew, or somebody else answers.',
    facts: ['host', 'alias?', 'seen', 'known', 'file', 'line'],
    remedy: ({ host, file }) => shell`ssh-keygen -R ${host} -f ${file}`,
  },
  SSH_HOST_KEY_DECLINED: {
    message: 'The host is not known, and its key was not accepted; nothing was sent.',
    facts: ['host', 'alias?', 'seen'],
    remedy: FINGERPRINT_ON_HOST,
  },
  SSH_HOST_KEY_REVOKED: {
    message: 'The key the host shows is marked as revoked.',
    facts: ['host', 'alias?', 'seen', 'file', 'line'],
    remedy: ({ file, line }) => shell`sed -n ${line}p ${file}`,
  },
  SSH_HOST_KEY_TYPE: {
    message:
      'The host has only keys of a kind that is not accepted any more, such as ssh-rsa with SHA-1 or DSA; it needs another key.',
    facts: ['user', 'host', 'port', 'alias?', 'accepted'],
    remedy: ({ user, host, port, alias }) =>
      shell`ssh -o HostKeyAlgorithms=+ssh-rsa -p ${port} ${user}@${alias ?? host} 'ssh-keygen -A; grep -i HostKey /etc/ssh/sshd_config'`,
  },
  SSH_HOST_KEY_UNSTEADY: {
    message: 'The host shows another key on each connection; nothing was sent.',
    facts: ['host', 'port', 'alias?'],
    remedy: 'wlb trust fetch --help',
  },
  SSH_HOST_UNKNOWN: {
    message: 'The name does not resolve.',
    facts: ['host', 'port', 'alias?', 'why'],
    remedy: ({ host }) => shell`getent hosts ${host}`,
  },
  SSH_HOST_UNREACHABLE: {
    message: 'There is no way to that address.',
    facts: ['host', 'port', 'alias?', 'why'],
    remedy: ({ host }) => shell`ip route get ${host}`,
  },
  SSH_JUMP_REFUSED: {
    message: 'The jump host did not make the connection: the host is not reached from there, or it may not be.',
    facts: ['host', 'port', 'alias?', 'through', 'why'],
    remedy: ({ host, port, through }) => sshCommand(String(through), shell`nc -vz ${host} ${port}`),
  },
  SSH_JUMPS_TOO_MANY: {
    message: 'Your SSH settings lead over more jump hosts than are followed; they may lead in a circle.',
    facts: ['target', 'limit'],
    remedy: ({ target }) => shell`ssh -G ${target}`,
  },
  SSH_KEY_PASSPHRASE_NEEDED: {
    message: 'The key for SSH is encrypted, and no passphrase was given.',
    facts: ['file', 'missing'],
    remedy: 'wlb trust fetch root@wlb.example.com --ssh-key FILE --ssh-passphrase-file FILE',
  },
  SSH_KEY_PASSPHRASE_WRONG: {
    message: 'The passphrase does not open the key for SSH.',
    facts: ['file'],
    remedy: ({ file }) => shell`ssh-keygen -y -f ${file}`,
  },
  SSH_KEY_OF_PUTTY: {
    message: "The key for SSH is in PuTTY's own form, version 3, which is not read; PuTTY's program converts it.",
    facts: ['file'],
    remedy: ({ file }) => shell`puttygen ${file} -O private-openssh-new -o ${file}.openssh`,
  },
  SSH_KEY_UNREADABLE: {
    message: 'The file is no private key in a form that SSH has.',
    facts: ['file', 'why'],
    remedy: ({ file }) => shell`ssh-keygen -p -f ${file}`,
  },
  SSH_KNOWN_HOSTS_UNREADABLE: {
    message: 'The file of known hosts cannot be read.',
    facts: ['file', 'why'],
    remedy: ({ file }) => shell`ls -l ${file}`,
  },
  SSH_KNOWN_HOSTS_UNWRITABLE: {
    message: 'The host cannot be written into the file of known hosts, so it is not connected to.',
    facts: ['file', 'why'],
    remedy: ({ file }) => shell`ls -ld ${dirname(String(file))}`,
  },
  SSH_OUTPUT_TOO_LARGE: {
    message: 'A command on the other machine says more than was expected of it.',
    facts: ['target', 'command', 'limitBytes'],
    remedy: runByHand,
  },
  SSH_PROXY_COMMAND: {
    message:
      'Your SSH settings reach this host by a ProxyCommand, which is not followed. A ProxyJump is; or let ssh forward a port of this machine, and name that instead, as USER@127.0.0.1:2222.',
    facts: ['target', 'proxyCommand'],
    remedy: ({ target }) => shell`ssh -N -L 127.0.0.1:2222:127.0.0.1:22 ${target}`,
  },
  SSH_REFUSED: {
    message: 'No SSH server listens there.',
    facts: ['host', 'port', 'alias?', 'why'],
    remedy: knock,
  },
  SSH_SETTINGS_UNUSABLE: {
    message: 'What your SSH settings say of this host cannot be used.',
    facts: ['target', 'why'],
    remedy: ({ target }) => shell`ssh -G ${target}`,
  },
  SSH_TIMEOUT: {
    message: 'The SSH server did not answer in time.',
    facts: ['host', 'port', 'alias?', 'stage', 'timeoutMs'],
    remedy: knock,
  },
  USAGE_SSH_TARGET: {
    message: 'That does not say whom to reach over SSH: USER@HOST, USER@HOST:PORT, or USER@[IPV6]:PORT.',
    facts: ['given'],
    remedy: 'wlb trust fetch root@wlb.example.com',
  },
})
export const { fail } = sshErrors
