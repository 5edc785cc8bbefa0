/** Certificates and lists with something wrong in their bytes: `openssl verify` and we say the same of each. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { requirePart } from '../../real-parts.js'
import { compareMutated, type Disagreement } from './compare-mutated.js'
import { makeCase } from './mutated-case.js'
import { createKeys } from './signing-keys.js'
import { contentOf, listWays, partAt, readTrees, writeTree } from './tree.js'

describe.skipIf(requirePart('openssl') === undefined)('mutated certificates (needs openssl)', () => {
  const run = (seed: number, cases: number) => {
    const disagreements: Disagreement[] = []
    const answers: string[] = []
    compareMutated(
      { seed, first: 0, cases },
      (one) => disagreements.push(one),
      (said) => answers.push(...said),
    )
    return { disagreements, asked: answers.length, kinds: new Set(answers).size }
  }

  it('350 of them', () => {
    const { disagreements, asked, kinds } = run(41, 350)
    expect(disagreements).toEqual([])
    expect(asked).toBe(350)
    expect(kinds).toBeGreaterThan(8)
  })

  it('7,000 of them', { tags: ['long'], timeout: 600_000 }, () => {
    const { disagreements, asked, kinds } = run(42, 7000)
    expect(disagreements).toEqual([])
    expect(asked).toBe(7000)
    expect(kinds).toBeGreaterThan(15)
  })
})

test('what is read as a tree is written as it was', () => {
  const keys = createKeys()
  fc.assert(
    fc.property(fc.nat(1000), (index) => {
      const { place, leaf, root } = makeCase(7, index, keys, new Date(0))
      const sound = place === 'leaf' ? root : leaf
      const [tree] = readTrees(sound) ?? []
      expect(tree && writeTree(tree).equals(sound)).toBe(true)
    }),
    { numRuns: 50 },
  )
})

test('every way leads to a part', () => {
  const [tree] = readTrees(Buffer.from('300a02010104050603550403', 'hex')) ?? []
  if (!tree) throw new Error('no tree')
  expect(listWays(tree).map((way) => way.join('.'))).toEqual(['', '0', '1', '1.0'])
  expect(listWays(tree).map((way) => contentOf(partAt(tree, way) ?? tree).toString('hex'))).toEqual([
    '02010104050603550403',
    '01',
    '0603550403',
    '550403',
  ])
})
