/** Options that several commands share, the parsers of their values, and the types that commands infer from their options. */
import {
  type Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
  Option,
  type OptionValues,
} from '@commander-js/extra-typings'
import { parseWlbAddress, type WlbAddress } from '../xapi/pool/wlb-address.js'

/** What a command is added to. */
export type Parent = CommandUnknownOpts

/** The options of a command as its action gets them, inferred from the function that declares them. */
export type FlagsOf<Declare extends (command: never) => { opts(): unknown }> = Flags<
  ReturnType<ReturnType<Declare>['opts']>
>
/** A switch is `true` or missing on the command line; code of ours may also pass `false`. */
type Flags<Options> = {
  readonly [Name in keyof Options]: true extends Options[Name] ? Options[Name] | boolean : Options[Name]
}

type Operands = unknown[]

/** Adds a group of options: their types are inferred once, from the group, and added to those of the command. */
export function withGroup<A extends Operands, O extends OptionValues, G extends OptionValues, P extends OptionValues>(
  command: Command<A, O, G>,
  add: (command: Command) => Command<[], P>,
): Command<A, O & P, G>
export function withGroup(command: Command, add: (command: Command) => Parent): Parent {
  return add(command)
}

export function examples(...lines: string[]): string {
  return `Examples:\n${lines.map((line) => `  ${line}\n`).join('')}`
}

export function tlsClient() {
  return new Option('--tls-client <NAME>', 'what the hosts connect to the appliance with')
    .choices(['node', 'stunnel'])
    .default('node')
}

export function integer(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** An option that may be repeated: its values in the order given. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** A day begins at midnight UTC, and a time without a zone is UTC. */
export function dateOrTime(text: string): Date {
  const [, day, time = 'T00:00:00', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text) ?? []
  const date = new Date(`${day}${time}${zone}`)
  const isReal = !Number.isNaN(date.getTime()) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(`${day}`)
  if (!isReal)
    throw new InvalidArgumentError('It must be a date or a time, such as 2026-03-01 or 2026-03-01T08:00:00Z.')
  return date
}

export function wlbAddress(text: string): WlbAddress {
  const address = parseWlbAddress(text)
  if (!address) throw new InvalidArgumentError('It must be HOST:PORT.')
  return address
}

/** SHA-256 in hex, with or without colons, as `openssl x509 -fingerprint -sha256` prints it. */
export function fingerprint(text: string): string {
  const hex = text
    .replace(/^sha-?256[:= ]/i, '')
    .replaceAll(':', '')
    .toUpperCase()
  if (!/^[0-9A-F]{64}$/.test(hex)) throw new InvalidArgumentError('It must be a SHA-256 fingerprint: 64 hex digits.')
  return hex.replaceAll(/(..)(?!$)/g, '$1:')
}

/** Which pool, and how to log in to it; `--appliance` included. */
export function withPool<A extends Operands, O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return withGroup(command, poolOptions)
}

function poolOptions(command: Command) {
  return command
    .option('--pool <NAME|URL>', 'a pool met before, or https://ADDRESS[:PORT] of its coordinator')
    .option('--username <NAME>', 'the user of the pool (default: root)')
    .option('--password-file <FILE>', 'the password of that user: the first line of FILE, or the second of two')
    .option('--pool-fingerprint <SHA256>', "the coordinator's certificate, known beforehand", fingerprint)
    .addOption(
      new Option('--pool-cacert <FILE>', "the authority of the coordinator's certificate").conflicts('poolFingerprint'),
    )
    .addOption(
      new Option('--pool-insecure', 'take whatever certificate the pool shows').conflicts([
        'poolFingerprint',
        'poolCacert',
      ]),
    )
    .option('--appliance <HOST:PORT>', 'where the appliance answers (default: as the pool has it)', wlbAddress)
}

/** How one machine is reached over SSH. */
export function withSsh<A extends Operands, O extends OptionValues, G extends OptionValues>(command: Command<A, O, G>) {
  return withGroup(command, sshOptions)
}

function sshOptions(command: Command) {
  return loginOptions(command).option(
    '--ssh-fingerprint <SHA256:...>',
    "the host key's fingerprint, known beforehand: nobody is asked",
    sshFingerprint,
  )
}

/** How every host of a pool is reached over SSH, to read its trust store. */
export function withHostSsh<A extends Operands, O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return withGroup(command, hostSshOptions)
}

function hostSshOptions(command: Command) {
  return withGroup(
    command
      .option(
        '--host-ssh <USER>',
        'log in to every host of the pool, and look at its disk: what is really there',
        sshUser,
      )
      .option('--host-ssh-port <PORT>', 'the port of SSH on the hosts (default: as in ~/.ssh/config, else 22)', integer)
      .option('--host-root <DIR>', "where a host's files lie, for hosts of a lab; {name} in it is the host's name"),
    loginOptions,
  ).option(
    '--ssh-fingerprint <SHA256:...>',
    'the key of a host that was not met before, known beforehand; may be repeated',
    (text: string, before?: readonly string[]) => collect(sshFingerprint(text), before),
  )
}

function loginOptions(command: Command) {
  return command
    .option(
      '--ssh-key <FILE>',
      'the private key to log in with (else as in ~/.ssh/config, else the agent, else a password)',
    )
    .option('--ssh-passphrase-file <FILE>', 'the passphrase of that key: the first line of FILE')
    .option('--ssh-password-file <FILE>', 'the password to log in with: the first line of FILE')
    .option('--ssh-known-hosts <FILE>', 'where host keys are kept (default: known_hosts in ~/.config/openwlb)')
}

/** How a certificate comes into service on a machine that is reached over SSH. */
export function withRestart<A extends Operands, O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return withGroup(command, restartOptions)
}

function restartOptions(command: Command) {
  return command
    .option('--restart-command <COMMAND>', 'restarts its TLS service (default: killall stunnel; stunnel)')
    .option('--proof-seconds <N>', 'how long it may take to serve the certificate (default: 20)', integer)
}

export function applianceRoot() {
  return new Option('--appliance-root <DIR>', "where the appliance's files lie on its machine").default('/')
}

export type PoolFlags = FlagsOf<typeof poolOptions>
export type SshFlags = FlagsOf<typeof sshOptions>
export type HostSshFlags = FlagsOf<typeof hostSshOptions>
export type RestartFlags = FlagsOf<typeof restartOptions>

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
