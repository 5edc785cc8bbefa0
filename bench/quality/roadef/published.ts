/** The ten instances A, where they are kept, and what is published about them. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type Instance, readInstance } from './instance.js'

/** Beside the repository: they are not part of it. */
const FOLDER = new URL('../../../../shared/data/roadef/', import.meta.url)

export interface Published {
  readonly name: string
  /** Of the start assignment, by the official cost. */
  readonly start: number
  /** The best of a winning team's 300 seconds and a commercial solver's hour. */
  readonly best: number
  /** Challenge score that ours is to reach: (ours - best) / start. */
  readonly goal: number
}

export const PUBLISHED: readonly Published[] = [
  { name: 'a1_1', start: 49_528_750, best: 44_306_501, goal: 0.005 },
  { name: 'a1_2', start: 1_061_649_570, best: 777_531_842, goal: 0.005 },
  { name: 'a1_3', start: 583_662_270, best: 583_005_719, goal: 0.005 },
  { name: 'a1_4', start: 632_499_600, best: 262_086_758, goal: 0.005 },
  { name: 'a1_5', start: 782_189_690, best: 727_578_310, goal: 0.005 },
  { name: 'a2_1', start: 391_189_190, best: 329, goal: 0.05 },
  { name: 'a2_2', start: 1_876_768_120, best: 746_097_632, goal: 0.05 },
  { name: 'a2_3', start: 2_272_487_840, best: 1_210_644_572, goal: 0.05 },
  { name: 'a2_4', start: 3_223_516_130, best: 1_680_615_349, goal: 0.05 },
  { name: 'a2_5', start: 787_355_300, best: 318_358_949, goal: 0.05 },
]

export function areInstancesHere(): boolean {
  return existsSync(FOLDER)
}

export function readPublished(name: string): Instance {
  const read = (kind: string) => gunzipSync(readFileSync(new URL(`${kind}_${name}.txt.gz`, FOLDER))).toString()
  return readInstance(read('model'), read('assignment'))
}
