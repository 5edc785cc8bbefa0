/** Parts are opened in order and closed in the other order, whatever fails; needs that are not met do not compile. */
import { expect, test } from 'vitest'
import { openLog } from '../../src/config/index.js'
import { type Opened, partList } from '../../src/server/part-list.js'

interface Given {
  readonly steps: string[]
}

const part =
  <Name extends string>(name: Name, closing: 'closes' | 'fails to close' = 'closes') =>
  async ({ steps }: Given): Promise<Opened<Record<Name, string>>> => {
    steps.push(`open ${name}`)
    const close = async () => {
      steps.push(`close ${name}`)
      if (closing === 'fails to close') throw new Error(`${name} does not close`)
    }
    const provides: Record<Name, string> = JSON.parse(JSON.stringify({ [name]: `${name}!` }))
    return { provides, close }
  }

function start() {
  const logged: string[] = []
  return { given: { steps: [] as string[], log: openLog({ write: (line) => void logged.push(line) }) }, logged }
}

test('in order, each with what those before it provide; closed in the other order, once', async () => {
  const { given } = start()
  const list = partList<Given>()
    .add(part('store'))
    .add(async ({ store }: { readonly store: string }) => ({ provides: { listener: `listens on ${store}` } }))
    .add(part('signals'))
  const { context, close } = await list.open(given)
  expect(context).toMatchObject({ store: 'store!', listener: 'listens on store!', signals: 'signals!' })
  await close()
  await close()
  expect(given.steps).toEqual(['open store', 'open signals', 'close signals', 'close store'])
})

test('a part that does not open: those before it are closed, and its error is passed on', async () => {
  const { given } = start()
  const list = partList<Given>()
    .add(part('lock'))
    .add(part('store'))
    .add(async () => Promise.reject(new Error('no port')))
    .add(part('signals'))
  await expect(list.open(given)).rejects.toThrow('no port')
  expect(given.steps).toEqual(['open lock', 'open store', 'close store', 'close lock'])
})

test('a part that does not close is logged, and the others are closed', async () => {
  const { given, logged } = start()
  const list = partList<Given>().add(part('lock')).add(part('store', 'fails to close'))
  await (await list.open(given)).close()
  expect(given.steps.slice(2)).toEqual(['close store', 'close lock'])
  expect(logged.join('')).toMatch(/store does not close.*something did not close/)
})

test('a part before what it needs does not compile', () => {
  const needsStore = async ({ store }: { readonly store: string }) => ({ provides: { reads: store } })
  // @ts-expect-error nothing provides `store` yet
  partList<Given>().add(needsStore)
  partList<Given>().add(part('store')).add(needsStore)
})
