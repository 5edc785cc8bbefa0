/** The options that name a pool and how to speak to it, the same for every command that does. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseWlbAddress, type WlbAddress } from '../../xapi/pool/wlb-address.js'

export interface PoolFlags {
  readonly pool?: string
  readonly username?: string
  readonly passwordFile?: string
  readonly poolFingerprint?: string
  readonly poolCacert?: string
  readonly poolInsecure?: boolean
  readonly appliance?: WlbAddress
}

/** Adds them, `--appliance` included. */
export function withPool(command: Command): Command {
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
