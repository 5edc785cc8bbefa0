/** `wlb ca crl`: the revocation list, anew; a pool that has any list refuses every leaf when it runs out. */
import { basename, resolve } from 'node:path'
import { type Published, publishCrl } from '../../authority/index.js'
import { quoteWord } from '../../base/quote-word.js'
import { daysFrom, printJson, renderFacts } from '../print.js'
import { chooseFolder, readPassphrase, sayNothingChanged, sayWhatItIs } from './ask.js'
import type { CrlFlags } from './commands.js'

export async function crl(root: string, flags: CrlFlags): Promise<void> {
  const { dir, out, days, ofRoot, passphraseFile, json } = flags
  sayWhatItIs()
  const passphrase = await readPassphrase(passphraseFile, 'known', 'wlb ca crl')
  if (passphrase === undefined) return sayNothingChanged()
  const now = new Date()
  const published = await publishCrl({
    folder: chooseFolder(root, dir),
    ofRoot,
    lifetimeDays: days,
    ...(out !== undefined && { out: resolve(out) }),
    passphrase,
    now,
  })
  if (json) return printJson(published)
  process.stdout.write(`${describePublished(published, now)}\n`)
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
          `On the pool:  xe pool-crl-install filename=${quoteWord(file)}; xe pool-certificate-sync`,
          `Next time:    xe pool-crl-uninstall name=${quoteWord(basename(file))}   # before installing it again`,
        ]
      : ['Pools do not need this one: they look at the list of the issuer of the leaf, and at no other.']),
  ].join('\n')
}
