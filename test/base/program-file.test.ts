/** What is said of a program that cannot be started, and that the repair named repairs it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, test } from 'vitest'
import { findStartFault } from '../../src/base/files/program-file.js'
import { runCommand } from '../../src/base/run-command.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-program-'))
afterAll(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'there'), '#!/bin/sh\necho ran\n', { mode: 0o700 })

/** `mode` undefined: there is no such file. */
const programs: [what: string, name: string, content: string, mode: number | undefined, why: string | undefined][] = [
  ['a script', 'good', '#!/bin/sh\necho ran\n', 0o700, undefined],
  ['a script for env', 'env', '#!/usr/bin/env sh\necho ran\n', 0o700, undefined],
  ['a script without a first line', 'bare', 'echo ran\n', 0o700, undefined],
  ['nothing', 'none', '', undefined, 'there is no such file'],
  ['saved by Windows', 'crlf', '#!/bin/sh\r\necho ran\r\n', 0o700, 'its lines end in CR LF'],
  ['saved by Windows, for env', 'crlf-env', '#!/usr/bin/env sh\r\necho ran\r\n', 0o700, 'its lines end in CR LF'],
  ['a byte order mark', 'mark', '\ufeff#!/bin/sh\necho ran\n', 0o700, 'a byte order mark stands before its #! line'],
  ['arguments', 'there --zone example.com', '', undefined, 'no arguments can follow it'],
  ['not executable', 'plain', '#!/bin/sh\necho ran\n', 0o600, 'it is not executable'],
  [
    'another interpreter',
    'other',
    '#!/opt/none/bash -e\n',
    0o700,
    'its first line names /opt/none/bash, which is not there',
  ],
  ['a folder', '.', '', undefined, 'it is no file'],
  ['a file as a folder', 'there/dns', '', undefined, 'it cannot be looked at (ENOTDIR)'],
]
it.each(programs)('%s: %s', async (_, name, content, mode, why) => {
  const path = name === '.' ? folder : `${folder}/${name}`
  if (mode !== undefined) writeFileSync(path, content, { mode })
  const fault = await findStartFault(path)
  if (why === undefined) expect(fault).toBeUndefined()
  else expect(fault?.why).toContain(why)
  const canBeRepaired = fault !== undefined && /^(sed|chmod) /.test(fault.repair)
  if (canBeRepaired) expect(spawnSync('sh', ['-c', fault.repair]).status).toBe(0)
  if (why === undefined || canBeRepaired)
    expect(await runCommand([path], 10_000)).toMatchObject({ exitCode: 0, output: 'ran' })
})

test('a word that is looked for on the path', async () => {
  expect(await findStartFault('systemctl')).toBeUndefined()
})

test('the reason is what a run ends with', async () => {
  expect(await runCommand([`${folder}/missing`], 10_000)).toMatchObject({
    exitCode: null,
    output: 'there is no such file',
  })
  expect(await runCommand(['openwlb-no-such-program'], 10_000)).toMatchObject({
    output: expect.stringContaining('ENOENT'),
  })
})
