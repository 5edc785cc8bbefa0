/** From a request line and a body to a route's input, and from its result to an answer. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { plainRoute, route, router } from '../../src/server/router.js'

const server = createServer(
  router({
    'GET /status': plainRoute(async () => ({ state: 'running' })),
    'POST /broken': plainRoute(async () => {
      throw new Error('no disk')
    }),
    'PUT /pools/{uuid}/mode/{mode}': route(
      z.strictObject({ uuid: z.string(), mode: z.enum(['density', 'performance']), note: z.string().optional() }),
      async (input) => input,
    ),
  }),
)
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)))
afterAll(() => void server.close())

function ask(line: string, body: string): Promise<string> {
  const [method, path] = line.split(' ')
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, method, path }, async (response) => {
      let text = ''
      for await (const piece of response.setEncoding('utf8')) text += piece
      resolve(`${response.statusCode} ${text}`)
    })
      .once('error', reject)
      .end(body)
  })
}

const cases: [line: string, body: string, answer: string | RegExp][] = [
  ['GET /status', '', '200 {"state":"running"}'],
  ['POST /status', '', '404 {}'],
  ['GET /status/', '', '404 {}'],
  ['GET /statusX', '', '404 {}'],
  ['GET /status?all', '', '404 {}'],
  ['GET /constructor', '', '404 {}'],
  ['POST /broken', '', '500 {"why":"no disk"}'],
  ['PUT /pools/p1/mode/density', '', '200 {"uuid":"p1","mode":"density"}'],
  ['PUT /pools/p1/mode/density', '{"note":"n"}', '200 {"uuid":"p1","mode":"density","note":"n"}'],
  ['PUT /pools/p1/mode/density', '{"uuid":"p2"}', '200 {"uuid":"p1","mode":"density"}'],
  ['PUT /pools/p1/mode/density', '{"other":1}', /^400 \{"why":".*other/],
  ['PUT /pools/p1/mode/other', '', /^400 \{"why":".*mode/],
  ['PUT /pools/p1/mode/density', 'no JSON', '400 {"why":"the body is no JSON object"}'],
  ['PUT /pools/p1/mode/density', '[1]', '400 {"why":"the body is no JSON object"}'],
  ['POST /broken', '{"any":1}', /^400 \{"why":".*any/],
  ['POST /broken', '65,537 blanks', '413 {"why":"the body has more than 65536 bytes"}'],
]
test.each(cases)('%s with %j: %s', async (line, body, answer) => {
  const sent = body === '65,537 blanks' ? ' '.repeat(65_537) : body
  expect(await ask(line, sent)).toEqual(typeof answer === 'string' ? answer : expect.stringMatching(answer))
})
