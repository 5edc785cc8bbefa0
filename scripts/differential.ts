/**
 * `npm run differential -- --sets 10000 --seed 7`: random certificate sets put to all judges, a line a disagreement.
 * `--mutate N` makes N certificates and lists with something wrong in their bytes instead, and asks `openssl verify` and us.
 * `--first N --sets 1 --keep DIR` writes one set down, `--always 'TWIST'` gives a twist to every set, `--without JUDGE` leaves
 * one out (stunnel, openssl, ours). docs/differential.md tells how to read the lines.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareJudges, describeOpinions, type Opinions } from '../test/differential/compare.js'
import { askOurs } from '../test/differential/judge-ours.js'
import { createKeyPool } from '../test/differential/key-pool.js'
import { compareMutated } from '../test/differential/mutate/compare-mutated.js'

const { values } = parseArgs({
  options: {
    sets: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    without: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string' },
    always: { type: 'string' },
    mutate: { type: 'string' },
  },
})

const began = Date.now()
const seen = { sets: 0, accepted: 0, stunnel: 0, openssl: 0, verdicts: 0, reasons: 0 }
const reasons = new Map<string, number>()
const isAsked = (judge: string) => !values.without.includes(judge)

if (values.mutate === undefined) await runSets()
else runMutated(Number(values.mutate))

async function runSets(): Promise<void> {
  await compareJudges(
    {
      seed: Number(values.seed),
      sets: Number(values.sets),
      first: Number(values.first),
      always: values.always,
      keys: createKeyPool(),
      stunnel: isAsked('stunnel'),
      openssl: isAsked('openssl'),
      ours: isAsked('ours') ? askOurs : () => undefined,
    },
    hear,
  )
  const seconds = (Date.now() - began) / 1000
  console.log(JSON.stringify({ ...seen, seconds }))
  if (values.sets !== '1') printReasons()
  process.exitCode = seen.verdicts > 0 ? 1 : 0
}

function runMutated(cases: number): void {
  let disagreements = 0
  let asked = 0
  compareMutated(
    { seed: Number(values.seed), first: Number(values.first), cases },
    (disagreement) => {
      disagreements++
      console.log(JSON.stringify(disagreement))
    },
    (answers) => {
      asked += answers.length
      for (const answer of answers) reasons.set(answer, (reasons.get(answer) ?? 0) + 1)
      if (process.stderr.isTTY) process.stderr.write(`\r${asked} of ${cases}, ${disagreements} disagreements `)
    },
  )
  console.log(JSON.stringify({ asked, disagreements, seconds: (Date.now() - began) / 1000 }))
  printReasons()
  process.exitCode = disagreements > 0 ? 1 : 0
}

function printReasons(): void {
  for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1])) console.error(`${count}\t${reason}`)
}

function hear(opinions: Opinions): void {
  const { stunnel, openssl, ours, set } = opinions
  const answers = [stunnel, openssl, ours].filter((answer) => answer !== undefined)
  seen.sets++
  if (stunnel) seen.stunnel++
  if (openssl) seen.openssl++
  const truth = stunnel ?? openssl
  if (truth?.accepted) seen.accepted++
  if (truth) reasons.set(truth.reason, (reasons.get(truth.reason) ?? 0) + 1)
  const verdictsAgree = new Set(answers.map(({ accepted }) => accepted)).size <= 1
  const reasonsAgree = new Set(answers.map(({ reason }) => reason)).size <= 1
  if (!verdictsAgree) seen.verdicts++
  else if (!reasonsAgree) seen.reasons++
  if (!reasonsAgree || !verdictsAgree || values.sets === '1') {
    console.log(`${verdictsAgree ? (reasonsAgree ? 'same' : 'REASON') : 'VERDICT'} ${describeOpinions(opinions)}`)
  }
  if (values.keep !== undefined) keepSet(values.keep, set)
}

function keepSet(directory: string, set: Opinions['set']): void {
  mkdirSync(join(directory, 'crls'), { recursive: true })
  writeFileSync(join(directory, 'sent.pem'), set.sent.map(String).join(''))
  writeFileSync(join(directory, 'leaf.key'), set.leafKeyPem)
  if (set.bundle) writeFileSync(join(directory, 'bundle.pem'), set.bundle)
  for (const [name, content] of Object.entries(set.crlFiles)) writeFileSync(join(directory, 'crls', name), content)
}
