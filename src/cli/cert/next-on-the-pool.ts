/** What a pool has to be told before it verifies a chain: the commands for its coordinator, with the files that were given. */

import { basename } from 'node:path'
import { visibleCommand, visibleLine } from '../../base/text/printable.js'
import { shell } from '../../base/text/quote-word.js'
import type { CertificateSource, InstallPlan } from '../../identity/index.js'

/** The root first, as in the procedure by hand; a self-signed leaf is its own root. */
export function nextOnThePool({ chain, sources }: InstallPlan): string[] {
  const [leaf, ...above] = sources
  const isOwnRoot = chain.missingIssuer === undefined && chain.root === undefined && above.length === 0
  const installed = isOwnRoot && leaf ? [nameFile(leaf, 'wlb.pem')] : nameIssuers(chain.root !== undefined, above)
  const verb = isOwnRoot ? 'pool-certificate-install' : 'pool-install-ca-certificate'
  const made = installed.flatMap(({ file, from }) =>
    from === undefined ? [] : [`  ${visibleCommand(`${from} > ${file}`)}`],
  )
  return [
    ...(made.length > 0 ? ['For the pool, each certificate in a file of its own, in PEM:', ...made, ''] : []),
    ...(chain.missingIssuer === undefined
      ? []
      : [
          `Get the root, "${visibleLine(chain.missingIssuer)}", from the authority: the pool needs it, unless it has it.`,
          '',
        ]),
    `Next, on the pool's coordinator${installed.length > 0 ? ', with copies of these files' : ''}:`,
    ...installed.map(({ file }) => shell`  xe ${verb} filename=${file}`),
    '  xe pool-certificate-sync',
  ]
}

interface PoolFile {
  readonly file: string
  /** Makes the file; undefined where it was given as it is needed. */
  readonly from: string | undefined
}

function nameIssuers(hasRoot: boolean, above: readonly CertificateSource[]): PoolFile[] {
  const [root, ...intermediates] = hasRoot ? [...above.slice(-1), ...above.slice(0, -1)] : [undefined, ...above]
  return [
    ...(root ? [nameFile(root, 'root_ca.pem')] : []),
    ...intermediates.flatMap((source, index) =>
      source ? [nameFile(source, index === 0 ? 'intermediate_ca.pem' : `intermediate_ca_${index + 1}.pem`)] : [],
    ),
  ]
}

/** A pool takes one certificate a file, in PEM, under a name of these characters that ends in .pem (docs/trust-stores.md). */
const POOL_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*\.pem$/

function nameFile({ place, isPlainFile, command }: CertificateSource, otherwise: string): PoolFile {
  const name = basename(place.file)
  return isPlainFile && POOL_NAME.test(name) ? { file: name, from: undefined } : { file: otherwise, from: command }
}
