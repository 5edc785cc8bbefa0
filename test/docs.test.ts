/** The pages name files of the source that exist, link to pages and headings that exist, and have tables whose rows are whole. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const pages = [
  ...['README.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
]
const rooms = readdirSync(join(root, 'src')).join('|')

it.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8')
  const named = [...text.matchAll(new RegExp(`\`(?:src/)?((?:${rooms})/[a-z0-9/.-]*)\``, 'g'))].map(
    ([, path = '']) => path,
  )
  expect(named.filter((path) => !existsSync(join(root, 'src', path)))).toEqual([])
  expect(linksOf(text).filter((link) => !leadsSomewhere(page, link))).toEqual([])
  expect(brokenRows(text)).toEqual([])
})

const CODE = /^```[\s\S]*?^```$|`[^`\n]*`/gm

function linksOf(text: string): readonly string[] {
  return [...text.replaceAll(CODE, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const file = path === '' ? join(root, page) : join(root, page, '..', path)
  if (!existsSync(file)) return false
  return anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).includes(anchor)
}

/** As GitHub makes them of headings: small letters, blanks to hyphens, nothing else but letters and digits; numbered when they repeat. */
function anchorsOf(text: string): readonly string[] {
  const counts = new Map<string, number>()
  return [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    const count = counts.get(anchor) ?? 0
    counts.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}

/** Rows with another number of cells than the head of their table. */
function brokenRows(text: string): readonly string[] {
  const cellsOf = (row: string) =>
    row
      .replaceAll('\\|', '')
      .replaceAll(/^\||\|$/g, '')
      .split('|').length
  const blocks = text.replaceAll(/^```[\s\S]*?^```$/gm, '').match(/(?:^\|.*\n?)+/gm) ?? []
  return blocks.flatMap((block) => {
    const [head = '', line = '', ...rows] = block.trimEnd().split('\n')
    const isTable = /^[|: -]+$/.test(line)
    return isTable ? [line, ...rows].filter((row) => cellsOf(row) !== cellsOf(head)) : [head]
  })
}
