/** `wlb ca revoke` and `wlb ca crl`: certificates are put on the revocation list, and the list is published again. */

import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import {
  findCertificate,
  type Published,
  publishCrl,
  type Revoked,
  revokeCertificate,
  revokedDocument,
} from '../../authority/index.js'
import { WlbError } from '../../base/error.js'
import { visibleLine } from '../../base/text/printable.js'
import { shell } from '../../base/text/quote-word.js'
import { describeFile, readContainers } from '../../x509/index.js'
import { fail } from '../errors.js'
import { isSure, sayNothingChanged } from '../terminal/ask.js'
import { daysFrom, printJson, printNote, renderFacts, toType } from '../terminal/print.js'
import type { CrlFlags, RevokeFlags } from './commands.js'
import { chooseFolder, chooseOutput, readBytes, readPassphrase, sayWhatItIs } from './inputs.js'

/** @throws USAGE_SERIAL_OR_FILE when it is neither a file nor a serial number. */
export async function revoke(root: string, serialOrFile: string, flags: RevokeFlags): Promise<void> {
  const folder = chooseFolder(root, flags.dir)
  const { file, say } = await chooseOutput(flags.out, flags.json)
  sayWhatItIs()
  const serialNumber = await readSerial(serialOrFile)
  const { subject } = await findCertificate(folder, serialNumber)
  printNote(`revokes: ${serialNumber}, ${visibleLine(subject)}\n`)
  const command = `wlb ca revoke ${serialNumber} --passphrase-file FILE`
  const question = 'Revoke it? It cannot be taken back.'
  if (!(await isSure(question, { command, yes: flags.yes, isFinal: true }))) return
  const passphrase = await readPassphrase(flags.passphraseFile, 'known', command)
  if (passphrase === undefined) return sayNothingChanged()

  const now = new Date()
  const { reason, days } = flags
  const revoked = await revokeCertificate({
    folder,
    serialNumber,
    reason,
    passphrase,
    now,
    lifetimeDays: days,
    out: file,
  })
  if (flags.json) return printJson(revokedDocument(revoked))
  say.write(`${describeRevoked(revoked, now)}\n`)
}

export function describeRevoked({ issued, already, crl }: Revoked, now: Date): string {
  const since = `${issued.revoked?.at} (${issued.revoked?.reason})`
  const what = already ? 'It was revoked already, since' : 'Revoked at'
  return [
    visibleLine(`${what} ${since}: ${issued.serialNumber}, ${issued.subject}`),
    '',
    describePublished(crl, now),
  ].join('\n')
}

async function readSerial(serialOrFile: string): Promise<string> {
  if (existsSync(serialOrFile)) {
    const bytes = await readBytes(serialOrFile, 'certificate')
    const [first] = certificatesIn(bytes, serialOrFile)
    if (first) return first.certificate.serialNumber
    const found = `no certificate, but ${describeFile(bytes)}`
    throw fail('USAGE_SERIAL_OR_FILE', { given: serialOrFile, found })
  }
  if (!/^[0-9a-f]{2}(:?[0-9a-f]{2})*$/i.test(serialOrFile))
    throw fail('USAGE_SERIAL_OR_FILE', { given: serialOrFile, found: 'no file, and not hexadecimal' })
  return serialOrFile.replaceAll(':', '').toUpperCase()
}

function certificatesIn(bytes: Buffer, file: string) {
  try {
    return readContainers([{ file, bytes }]).certificates
  } catch (error) {
    if (error instanceof WlbError) return []
    throw error
  }
}

export async function crl(root: string, flags: CrlFlags): Promise<void> {
  const { dir, out, days, ofRoot, passphraseFile, json } = flags
  const { file, say } = await chooseOutput(out, json)
  sayWhatItIs()
  const passphrase = await readPassphrase(passphraseFile, 'known', 'wlb ca crl --passphrase-file FILE')
  if (passphrase === undefined) return sayNothingChanged()
  const now = new Date()
  const published = await publishCrl({
    folder: chooseFolder(root, dir),
    ofRoot,
    lifetimeDays: days,
    out: file,
    passphrase,
    now,
  })
  if (json) return printJson(published)
  say.write(`${describePublished(published, now)}\n`)
}

export function describePublished(published: Published, now: Date): string {
  const { issuer, number, thisUpdate, nextUpdate, revoked, file, forPools } = published
  return [
    renderFacts([
      ['list of', issuer],
      ['number', String(number)],
      ['revoked', revoked === 1 ? '1 certificate' : `${revoked} certificates`],
      ['from', thisUpdate.toISOString()],
      ['next before', `${nextUpdate.toISOString()} (${daysFrom(now, nextUpdate)})`],
      ['file', file],
    ]),
    '',
    ...(forPools
      ? [
          'Once a pool has any list it wants this one too, and in its dates: make the next one before this one ends.',
          `On the pool:  ${toType(shell`xe pool-crl-install filename=${file}; xe pool-certificate-sync`)}`,
          `Next time:    ${toType(shell`xe pool-crl-uninstall name=${basename(file)}   # before installing it again`)}`,
        ]
      : ['Pools do not need this one: they look at the list of the issuer of the leaf, and at no other.']),
  ].join('\n')
}
