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
