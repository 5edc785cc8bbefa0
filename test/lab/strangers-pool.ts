/** A pool of another person's making: two hundred certificates, put straight into its stores and records. */
import { writeFileSync } from 'node:fs'
import { rebuildStore } from '../../src/lab/certificates/trust-store.js'
import type { Rows } from '../../src/lab/database/records.js'
import { newRecord } from '../../src/lab/faults/pool-stage.js'
import { layoutOf } from '../../src/lab/host/host-files.js'
import { fetchRecords, postToHost } from '../../src/lab/launcher/host-control.js'
import { LEGACY } from '../trust/stage.js'
import { daysFromNow, issue } from '../x509/test-authority.js'
import type { TestPool } from './test-pool.js'

/**
 * All that a pool takes as a name and nobody expects, ours among them. Not one that ends in `new.pem`: those a pool copies to
 * no member, and its sync takes away what lies there.
 */
const ODD_NAMES = [
  ...['wlb.pem', 'wlb-00000000.pem', 'root_ca.pem', 'crl-000000000000.pem', '-.pem', '_.pem', '-rf.pem', '--help.pem'],
  ...['0.pem', 'a..pem', 'a.pem.pem', 'A.crt.pem', 'x...---___...x.pem', 'CON.pem', `${'n'.repeat(251)}.pem`],
]
/** Distributed like the others, and of no name that any pool of today takes: an older one did. */
const OLDER_NAMES = ['Über uns.pem', 'été.pem', 'а.pem', '証明書.pem', "it's $HOME `here`.pem", 'two words.pem']

/** The first of them ends soon. Returns what lies in the store of each host now, a file a name. */
export async function fillStore(pool: TestPool, count: number): Promise<ReadonlyMap<string, string>> {
  const odd = [...ODD_NAMES, ...OLDER_NAMES]
  const plain = Array.from({ length: count - odd.length }, (_, index) => `site-${index}.v${index % 7}_old.pem`)
  const files = new Map<string, string>()
  const rows: Rows[] = []
  for (const name of [...odd, ...plain]) {
    const made = await issue({
      subject: `Stranger ${files.size}`,
      keyLabel: 'stranger',
      ca: true,
      notAfter: daysFromNow(files.size === 0 ? 9 : 900),
    })
    files.set(name, made.certificatePem)
    rows.push(newRecord(name, made.certificate))
  }
  for (const { name: host, root } of pool.document.hosts) {
    for (const [name, pem] of files) writeFileSync(pool.path(host, `${LEGACY}/${name}`), pem)
    await rebuildStore(layoutOf(root), { store: 'LegacyRootCert' })
  }
  await postToHost(pool.host('xs1').root, '/lab/records', JSON.stringify({ Certificate: Object.assign({}, ...rows) }))
  return files
}

/** The names of all that is recorded as installed. */
export async function recordedNames(pool: TestPool): Promise<readonly string[]> {
  const records = await fetchRecords(pool.host('xs1').root)
  return Object.values(records?.Certificate ?? {}).flatMap(({ type, name }) => (type === 'ca' ? [String(name)] : []))
}
