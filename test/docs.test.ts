/** The pages name files of the source that exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const pages = [
  'README.md',
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
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path)
  expect(links.filter((path) => !existsSync(join(root, page, '..', path)))).toEqual([])
})
