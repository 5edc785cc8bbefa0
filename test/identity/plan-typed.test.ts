/** The commands that a plan prints, typed into real shells: roots and files of any name, and nothing is done beside. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { paths } from '../../src/config/index.js'
import { type InstallStep, replaceSteps } from '../../src/identity/index.js'
import { type InstallFolder, openInstallFolder, pemOf, tryToPlan } from './install-cast.js'

let at: InstallFolder
beforeAll(async () => {
  at = await openInstallFolder()
})
afterAll(() => at.remove())

const SHELLS = ['sh', 'bash'] as const
const NAMES = [
  'plain',
  'a b',
  "it's",
  '-rf',
  '$(touch owned)',
  '`touch owned`',
  'a;touch owned',
  '~',
  '*',
  'Müller',
  '#',
]
const rows = NAMES.flatMap((name) => SHELLS.map((shell) => [name, shell] as const))

/** All but those that restart and ask the appliance. */
function type(shell: string, steps: readonly InstallStep[], cwd: string): void {
  const typed = steps.filter(({ id }) => id !== 'serve' && id !== 'prove').map(({ command }) => command)
  execFileSync(shell, ['-e', '-c', typed.join('\n')], { cwd, stdio: 'pipe' })
}

const pairOf = ({ certificate, key }: { certificate: string; key: string }) => [
  readFileSync(certificate, 'utf8'),
  readFileSync(key, 'utf8'),
]

it.each(rows)('files and a root called %s, installed by %s', async (name, shell) => {
  const root = join(at.folder, name)
  renameSync(at.root, root)
  const before = process.cwd()
  process.chdir(at.folder)
  try {
    const [leaf, mid, key] = [`${name}.pem`, `${name} mid.pem`, `${name}.key`]
    for (const [file, what] of [
      [leaf, 'leaf'],
      [mid, 'mid'],
      [key, 'key:leaf'],
    ] as const)
      at.write(file, await pemOf(what))
    const { plan, outcome } = await tryToPlan(root, [leaf, mid], { keyFile: key })
    expect(outcome).toMatch(/^leaf mid; key given/)
    const place = paths(root)
    const served = pairOf(place)
    type(shell, plan?.steps ?? [], at.folder)
    expect(pairOf(place)).toEqual([plan?.identity.certificatePem, await pemOf('key:leaf')])
    expect(statSync(place.key).mode & 0o777).toBe(0o600)

    const kept = { certificate: place.originalCertificate, key: place.originalKey }
    expect(pairOf(kept)).toEqual(served)
    type(shell, replaceSteps(root, kept), at.folder)
    expect(pairOf(place)).toEqual(served)
    const [other, otherKey] = [at.write(`${name} other.pem`, 'certificate'), at.write(`${name} other.key`, 'key')]
    type(shell, replaceSteps(root, { certificate: other, key: otherKey }), at.folder)
    expect([pairOf(place), pairOf(kept)]).toEqual([['certificate', 'key'], served])
    type(shell, replaceSteps(root, kept), at.folder)
    expect(readdirSync(at.folder)).not.toContain('owned')
  } finally {
    process.chdir(before)
    renameSync(root, at.root)
  }
})
