/**
 * Commands and answers about certificate files between hosts, as host.cert_distrib_atom carries them
 * (docs/protocol/pool.md, distribution).
 */
import { ApiFailure } from '../../xapi/index.js'
import { parseSexp, printSexp, type Sexp } from './sexp.js'

export type Purpose = 'licensing' | 'ldaps'
export const PURPOSES: readonly Purpose[] = ['licensing', 'ldaps']

/** Which store: three kinds without purposes, and the trusted stores with one folder per purpose. */
export type StoreKind =
  | { readonly store: 'HostPoolCert' | 'LegacyRootCert' | 'CRL' }
  | { readonly store: 'RootCert' | 'PinnedCert'; readonly purposes: readonly Purpose[] }

export interface StoredFile {
  readonly filename: string
  readonly content: string
}

export type DistributionCommand =
  | {
      readonly kind: 'Write'
      readonly into: StoreKind
      readonly strategy: 'Erase_old' | 'Merge'
      readonly files: readonly StoredFile[]
    }
  | { readonly kind: 'CollectOne'; readonly from: StoreKind; readonly name: string }
  | { readonly kind: 'CollectMany'; readonly from: StoreKind; readonly names: readonly string[] }
  | { readonly kind: 'GenBundle' }

export type DistributionResult =
  | { readonly kind: 'WriteResult' }
  | { readonly kind: 'GenBundleResult' }
  | { readonly kind: 'CollectOneResult'; readonly file: StoredFile }
  | { readonly kind: 'CollectManyResult'; readonly files: readonly StoredFile[] }

/** Prints a command as the coordinator sends it. */
export function encodeCommand(command: DistributionCommand): string {
  switch (command.kind) {
    case 'Write':
      return printSexp(['Write', [storeSexp(command.into), command.strategy, command.files.map(fileSexp)]])
    case 'CollectOne':
      return printSexp(['CollectOne', storeSexp(command.from), command.name])
    case 'CollectMany':
      return printSexp(['CollectMany', storeSexp(command.from), [...command.names]])
    case 'GenBundle':
      return 'GenBundle'
  }
}

/**
 * Reads a command.
 *
 * @throws ApiFailure INTERNAL_ERROR when the text is not a command.
 */
export function decodeCommand(text: string): DistributionCommand {
  const expression = parseSexp(text)
  if (expression === 'GenBundle') return { kind: 'GenBundle' }
  const [kind, first, second, ...rest] = listOf(expression)
  if (kind === 'Write' && second === undefined) {
    const [into, strategy, files, ...more] = listOf(first)
    if (more.length > 0) throw notUnderstood(text)
    return { kind, into: readStore(into), strategy: readStrategy(strategy), files: listOf(files).map(readFile) }
  }
  if (rest.length > 0) throw notUnderstood(text)
  if (kind === 'CollectOne') return { kind, from: readStore(first), name: atomOf(second) }
  if (kind === 'CollectMany') return { kind, from: readStore(first), names: listOf(second).map(atomOf) }
  throw notUnderstood(text)
}

/** Prints what a member answers. */
export function encodeResult(result: DistributionResult): string {
  switch (result.kind) {
    case 'WriteResult':
    case 'GenBundleResult':
      return result.kind
    case 'CollectOneResult':
      return printSexp([result.kind, fileSexp(result.file)])
    case 'CollectManyResult':
      return printSexp([result.kind, result.files.map(fileSexp)])
  }
}

/**
 * Reads what a member answered.
 *
 * @throws ApiFailure INTERNAL_ERROR when the text is not an answer.
 */
export function decodeResult(text: string): DistributionResult {
  const expression = parseSexp(text)
  if (expression === 'WriteResult' || expression === 'GenBundleResult') return { kind: expression }
  const [kind, content, ...rest] = listOf(expression)
  if (rest.length > 0) throw notUnderstood(text)
  if (kind === 'CollectOneResult') return { kind, file: readFile(content) }
  if (kind === 'CollectManyResult') return { kind, files: listOf(content).map(readFile) }
  throw notUnderstood(text)
}

function storeSexp(kind: StoreKind): Sexp {
  return 'purposes' in kind ? [kind.store, [...kind.purposes]] : kind.store
}

function fileSexp({ filename, content }: StoredFile): Sexp {
  return [
    ['filename', filename],
    ['content', content],
  ]
}

function readStore(expression: Sexp | undefined): StoreKind {
  if (expression === 'HostPoolCert' || expression === 'LegacyRootCert' || expression === 'CRL') {
    return { store: expression }
  }
  const [store, purposes, ...rest] = listOf(expression)
  if ((store !== 'RootCert' && store !== 'PinnedCert') || rest.length > 0) throw notUnderstood(String(store))
  return { store, purposes: listOf(purposes).map(readPurpose) }
}

function readPurpose(expression: Sexp): Purpose {
  const purpose = PURPOSES.find((known) => known === expression)
  if (!purpose) throw notUnderstood(String(expression))
  return purpose
}

function readStrategy(expression: Sexp | undefined): 'Erase_old' | 'Merge' {
  if (expression !== 'Erase_old' && expression !== 'Merge') throw notUnderstood(String(expression))
  return expression
}

function readFile(expression: Sexp | undefined): StoredFile {
  const fields = new Map<string, string>()
  for (const pair of listOf(expression)) {
    const [name, value, ...rest] = listOf(pair)
    if (rest.length > 0) throw notUnderstood('a field with several values')
    fields.set(atomOf(name), atomOf(value))
  }
  const filename = fields.get('filename')
  const content = fields.get('content')
  if (filename === undefined || content === undefined || fields.size !== 2) throw notUnderstood('a file')
  return { filename, content }
}

function listOf(expression: Sexp | undefined): readonly Sexp[] {
  if (expression === undefined || typeof expression === 'string') throw notUnderstood(expression ?? 'nothing')
  return expression
}

function atomOf(expression: Sexp | undefined): string {
  if (typeof expression !== 'string') throw notUnderstood('a list')
  return expression
}

function notUnderstood(found: string): ApiFailure {
  return new ApiFailure('INTERNAL_ERROR', [`Not understood: ${found.slice(0, 80)}`])
}
