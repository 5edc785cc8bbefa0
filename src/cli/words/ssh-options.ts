/** The options that say how a machine is reached over SSH, the same for every command that does. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { collect, integer } from './word.js'

export interface SshFlags {
  readonly sshKey?: string
  readonly sshPassphraseFile?: string
  readonly sshPasswordFile?: string
  readonly sshFingerprint?: string
  readonly sshKnownHosts?: string
}

export function withSsh(command: Command): Command {
  return withLogin(command).option(
    '--ssh-fingerprint <SHA256:...>',
    "the host key's fingerprint, known beforehand: nobody is asked",
    sshFingerprint,
  )
}

function withLogin(command: Command): Command {
  return command
    .option('--ssh-key <FILE>', 'the private key to log in with (else the agent of SSH_AUTH_SOCK, else a password)')
    .option('--ssh-passphrase-file <FILE>', 'the passphrase of that key: the first line of FILE')
    .option('--ssh-password-file <FILE>', 'the password to log in with: the first line of FILE')
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

/** To every host of a pool, to look at its trust store. */
export interface HostSshFlags extends Omit<SshFlags, 'sshFingerprint'> {
  readonly hostSsh?: string
  readonly hostSshPort?: number
  readonly hostRoot?: string
  readonly sshFingerprint?: readonly string[]
}

export function withHostSsh(command: Command): Command {
  return withLogin(
    command
      .option(
        '--host-ssh <USER>',
        'log in to every host of the pool, and look at its disk: what is really there',
        sshUser,
      )
      .option('--host-ssh-port <PORT>', 'the port of SSH on the hosts (default: 22)', integer)
      .option('--host-root <DIR>', "where a host's files lie, for hosts of a lab; {name} in it is the host's name"),
  ).option(
    '--ssh-fingerprint <SHA256:...>',
    'the key of a host that was not met before, known beforehand; may be repeated',
    (text: string, before?: readonly string[]) => collect(sshFingerprint(text), before),
  )
}

export function applianceRoot(): Option {
  return new Option('--appliance-root <DIR>', "where the appliance's files lie on its machine").default('/')
}

function sshUser(text: string): string {
  if (!/^[^-@\s][^@\s]*$/.test(text)) throw new InvalidArgumentError('It must be the name of a user.')
  return text
}

function sshFingerprint(text: string): string {
  if (!/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text)) {
    throw new InvalidArgumentError('It must be as OpenSSH prints it: SHA256: and 43 characters.')
  }
  return text
}
