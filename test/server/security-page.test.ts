/** docs/security.md says what the source does. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CONTROL_CONNECTIONS } from '../../src/server/control-socket.js'
import { WRONG_LIMIT } from '../../src/server/soap/account.js'
import { LINE_LIMIT } from '../../src/server/soap/check-queue.js'
import {
  FIRST_PAUSE_MS,
  LONGEST_PAUSE_MS,
  UNSEEN_PAUSE_MS,
  WAITING_LIMIT,
} from '../../src/server/soap/guess-allowance.js'
import { BODY_TIMEOUT_MS, HTTP_OPTIONS, LINGER_BYTES, LINGER_MS } from '../../src/server/soap/service.js'
import { MOST_ROOM, PHASE_LIMITS_MS, SPARE_DESCRIPTORS } from '../../src/tls/index.js'
import { BODY_LIMIT_BYTES } from '../../src/wlb/index.js'

const page = readFileSync(join(import.meta.dirname, '../../docs/security.md'), 'utf8')
const seconds = (ms: number) => `${ms / 1_000} s`

const rows: [what: string, bound: string][] = [
  [
    'connections in all',
    `${MOST_ROOM.inAll}, or fewer: open files allowed, less those open at the start, less ${SPARE_DESCRIPTORS}`,
  ],
  ['connections from one network', `${MOST_ROOM.perNetwork}; ${MOST_ROOM.perKnownNetwork} from a known one`],
  ['time until a ClientHello has arrived', seconds(PHASE_LIMITS_MS.silent)],
  ['time for a handshake', seconds(PHASE_LIMITS_MS.handshake)],
  ['time for the headers of a request', seconds(HTTP_OPTIONS.headersTimeout)],
  ['time for the body of a request', seconds(BODY_TIMEOUT_MS)],
  ['length of a body', `${BODY_LIMIT_BYTES / 1024} KB`],
  ['time without a request', seconds(PHASE_LIMITS_MS.waiting)],
  ['time for a request in all', seconds(PHASE_LIMITS_MS.request)],
  ['time to take an answer', seconds(PHASE_LIMITS_MS.answered)],
  ['what is read after a refusal', `${seconds(LINGER_MS)} and ${LINGER_BYTES / 1024 / 1024} MB`],
  ['password checks at once', `1, and ${LINE_LIMIT} in line; known networks first`],
  [
    'attempts in line from one network',
    `${WAITING_LIMIT}; others are refused after ${seconds(UNSEEN_PAUSE_MS)}, unseen`,
  ],
  [
    'pause after an attempt that was not right',
    `${seconds(FIRST_PAUSE_MS)}, doubled each time up to ${seconds(LONGEST_PAUSE_MS)}`,
  ],
  ['wrong passwords compared at once from a known network', `${WRONG_LIMIT}, and one more every 3 s`],
  ['connections to the control socket', `${CONTROL_CONNECTIONS}, of the appliance's own user only`],
]
test.each(rows)('%s: %s', (what, bound) => {
  expect(page).toContain(`| ${what} | ${bound} | `)
})
