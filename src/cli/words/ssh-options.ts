/** The options that say how a machine is reached over SSH, the same for every command that does. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { integer } from './word.js'

export interface SshFlags {
  readonly sshKey?: string
  readonly sshPassphraseFile?: string
  readonly sshPasswordFile?: string
  readonly sshFingerprint?: string
  readonly sshKnownHosts?: string
}

export function withSsh(command: Command): Command {
  return command
    .option('--ssh-key <FILE>', 'the private key to log in with (else the agent of SSH_AUTH_SOCK, else a password)')
    .option('--ssh-passphrase-file <FILE>', 'the passphrase of that key: the first line of FILE')
    .option('--ssh-password-file <FILE>', 'the password to log in with: the first line of FILE')
    .option(
      '--ssh-fingerprint <SHA256:...>',
      "the host key's fingerprint, known beforehand: nobody is asked",
      sshFingerprint,
    )
    .addOption(
      new Option('--ssh-known-hosts <FILE>', 'where host keys are kept (default: known_hosts in ~/.config/openwlb)'),
    )
}

export interface RestartFlags {
  readonly restartCommand?: string
  readonly proofSeconds?: number
}

/** How a certificate comes into service on a machine that is reached over SSH. */
export function withRestart(command: Command): Command {
  return command
    .option('--restart-command <COMMAND>', 'restarts its TLS service (default: killall stunnel; stunnel)')
    .option('--proof-seconds <N>', 'how long it may take to serve the certificate (default: 20)', integer)
}

export function applianceRoot(): Option {
  return new Option('--appliance-root <DIR>', "where the appliance's files lie on its machine").default('/')
}

function sshFingerprint(text: string): string {
  if (!/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text)) {
    throw new InvalidArgumentError('It must be as OpenSSH prints it: SHA256: and 43 characters.')
  }
  return text
}
