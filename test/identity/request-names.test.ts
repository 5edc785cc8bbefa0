/** The names of a certificate request, compared with those under which pools have connected. */
import { expect, it } from 'vitest'
import { chooseNames, warnOfNames } from '../../src/identity/request/request-names.js'

const HOSTNAME = 'wlb.example.com'
const comparisons: [used: string, names: string, outcome: string][] = [
  ['wlb.example.com', '', ''],
  ['other.example.com', '', 'A pool connects to other.example.com'],
  ['other.example.com', 'other.example.com', ''],
  ['other.example.com', 'OTHER.example.com', ''],
  ['other.example.com', '*.example.com', ''],
  ['a.b.example.com', '*.example.com', 'A pool connects to a.b.example.com'],
  ['wlb', '', 'A pool connects to wlb'],
  ['192.0.2.7', '192.0.2.7', 'A pool connects to 192.0.2.7'],
]
it.each(comparisons)('pools connect to %s, further names "%s": "%s"', (used, further, outcome) => {
  const alternativeNames = further === '' ? [] : [further]
  const names = chooseNames({ hostname: HOSTNAME, alternativeNames, force: false })
  const told = warnOfNames(names, HOSTNAME, 'wlb', [used]).filter((warning) => warning.startsWith('A pool connects'))
  expect(told.map((warning) => warning.split(',', 1).join('')).join('')).toBe(outcome)
})
