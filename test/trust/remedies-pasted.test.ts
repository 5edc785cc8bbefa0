/**
 * What the doctor says to type, typed: in a shell of the appliance's machine or of the coordinator, and the doctor is asked again.
 * The finding is gone, or a person has to act first, and the table says why.
 */
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { listFaults } from '../../src/lab/index.js'
import { labAuthority } from './lab-authority.js'
import { usePasteStage } from './paste-stage.js'

const stage = usePasteStage()
afterEach(() => stage.mendAll())

const HEALED = [
  ...[3, 8, 9, 10, 11, 12, 17, 18, 19, 21, 22, 23, 24, 25, 27, 28, 29, 31, 32, 37, 38, 39, 42],
  ...[61, 72, 73, 77, 79, 80],
]

/** What a person has to do before, or what a lab has not. */
const BY_HAND: Readonly<Record<string, readonly number[]>> = {
  'an authority has to sign another certificate': [1, 4, 7, 13, 14, 43, 44, 45, 46, 52, 53, 54, 55, 56, 57, 58],
  'the passphrase, or the other half of the pair, has to be known': [40, 41],
  'the name of the certificate has to lead to the appliance first': [6],
  "a host's clock, and its program chronyc": [5],
  'the remedy shows where to look: the network, a TLS server or a name service is not ours': [
    ...[47, 48, 49, 50, 51, 65, 66, 67, 68, 69, 70, 74],
  ],
  'a file lies under a name on a disk of the host, where the remedy is typed': [64],
  'puts the files right; what the lab serves in their place stays': [16, 71],
  'the new password of the appliance has to be known': [75],
}

/** A person fetches the file that the remedy names and says where to have: the test plays the person. */
const FETCHED: readonly [row: number, file: string, left: 'nothing' | 'what the lab serves'][] = [
  ...[59, 60, 62, 63].map((row): [number, string, 'nothing'] => [row, 'crl.pem', 'nothing']),
  [2, 'intermediate_ca.pem', 'what the lab serves'],
  [15, 'intermediate_ca.pem', 'what the lab serves'],
]
test.each(FETCHED)(
  'row %i: %s is fetched as told, the rest pasted; what is left: %s',
  { tags: 'long', timeout: 60_000 },
  async (row, file, left) => {
    expect(await stage.wlb('lab', 'fault', 'inject', String(row))).toMatchObject({ exitCode: 0 })
    const [first] = await stage.examine()
    expect([first?.row, first?.remedy]).toEqual([
      row,
      expect.stringMatching(new RegExp(`# ${file}: the .*"CN=OpenWLB lab fault .*, in PEM, from the authority`)),
    ])
    const authority = labAuthority(stage.root)
    const place = join(stage.desk, file)
    if (file === 'crl.pem') await authority.fetchList(place)
    else authority.fetchIntermediate(place)
    // a pool whose root is not known here may refuse, which a person at the terminal is asked about
    const pasted = await stage.paste((first?.remedy ?? '').replace('wlb cert install', 'wlb cert install --anyway'))
    expect(pasted, pasted.stderr).toMatchObject({ exitCode: 0 })
    if (left === 'nothing') {
      const same = (await stage.examine()).filter((finding) => finding.severity === 'error')
      expect(same, first?.remedy).toEqual([])
    } else {
      // the stand-in goes on with what it was told to serve; what the appliance has on its disk is in order
      const served = join(stage.root, 'etc/ssl/certs/server.pem')
      const anchor = join(stage.root, 'lab/xs1/etc/stunnel/certs/openwlb-lab-fault-root.pem')
      const verdict = await stage.wlb('cert', 'check', served, '--trust', anchor, '--name', 'wlb.lab.internal')
      expect(verdict, verdict.stdout).toMatchObject({ exitCode: 0 })
    }
  },
)

/** Two remedies, one after the other: what is in the way is removed, then what is missing is installed. */
test('row 20: the old root is removed, and the new one installed as fetched', {
  tags: 'long',
  timeout: 60_000,
}, async () => {
  expect(await stage.wlb('lab', 'fault', 'inject', '20')).toMatchObject({ exitCode: 0 })
  const [first] = await stage.examine()
  expect([first?.row, first?.remedy]).toEqual([
    20,
    'xe pool-uninstall-ca-certificate name=openwlb-lab-fault-root.pem; xe pool-certificate-sync',
  ])
  expect(await stage.paste(first?.remedy ?? '')).toMatchObject({ exitCode: 0 })
  const [second] = await stage.examine()
  expect(second?.remedy).toMatch(/# root_ca.pem: the root "CN=OpenWLB lab fault root,/)
  labAuthority(stage.root).fetchNewRoot(join(stage.desk, 'root_ca.pem'))
  const pasted = await stage.paste(second?.remedy ?? '')
  expect(pasted, pasted.stderr).toMatchObject({ exitCode: 0 })
  expect((await stage.examine()).filter(({ severity }) => severity === 'error')).toEqual([])
})

/** Nothing shows from outside, or the row that is seen in its place (docs/doctor-accuracy.md). */
const UNSEEN = [26, 30, 33, 34, 35, 36, 78]

test.each(HEALED)('row %i: pasted, and it is gone', { tags: 'long', timeout: 60_000 }, async (row) => {
  expect(await stage.wlb('lab', 'fault', 'inject', String(row))).toMatchObject({ exitCode: 0 })
  const [first] = await stage.examine()
  expect(first?.row).toBe(row)
  const pasted = await stage.paste(first?.remedy ?? '')
  const left = await stage.examine()
  // a pool that is connected again may be paused, and a record under an unfit name cannot be removed: both harm nothing
  const same = left.filter((finding) => finding.row === row && finding.severity === first?.severity)
  expect(same, `${first?.remedy}\n${pasted.stderr}`).toEqual([])
})

test('every row that can be brought about is in one of the tables', () => {
  const named = [20, ...HEALED, ...FETCHED.map(([row]) => row), ...Object.values(BY_HAND).flat(), ...UNSEEN].sort(
    (one, other) => one - other,
  )
  expect(named).toEqual(listFaults().map(({ row }) => row))
})
