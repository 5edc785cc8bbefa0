/** Row `roadef`: the ten instances A of the ROADEF/EURO challenge 2012, a minute of processor time each. */
import { rounds } from '../../rounds.js'
import { percent, type Table, whole } from '../table.js'
import { anneal } from './anneal.js'
import { brokenRules, costOf } from './check.js'
import { areInstancesHere, PUBLISHED, readPublished } from './published.js'

const SECONDS = 60
const SEED = 1

export function roadef(): Table {
  const title = `Machine reassignment (ROADEF 2012, instances A), ${SECONDS} s of processor time each: (ours - best) / start`
  const head = ['instance', 'start', 'ours', 'best published', 'score', 'goal']
  if (!areInstancesHere())
    return { title, head, lines: [['skipped: ../shared/data/roadef is missing', '', '', '', '', '']] }
  const lines = PUBLISHED.slice(0, rounds(PUBLISHED.length)).map(({ name, start, best, goal }) => {
    const instance = readPublished(name)
    const assignment = anneal(instance, SEED, { seconds: rounds(SECONDS) })
    const broken = brokenRules(instance, assignment)
    if (broken.length > 0) throw new Error(`${name}: ${broken[0]}`)
    const ours = costOf(instance, assignment).total
    const figures = [start, ours, best].map(whole)
    return [name, ...figures, percent((ours - best) / start, 3), `<= ${percent(goal)}`]
  })
  return { title, head, lines }
}
