/** What several commands say alike. */
import { InvalidArgumentError, Option } from 'commander'

export function tlsClient(): Option {
  return new Option('--tls-client <NAME>', 'what the hosts connect to the appliance with')
    .choices(['node', 'stunnel'])
    .default('node')
}

export function examples(...lines: string[]): string {
  return `Examples:\n${lines.map((line) => `  ${line}\n`).join('')}`
}

export function integer(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** An option that may be repeated: its values in the order given. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
