/** Lets the client fetch something from this server over HTTP, and learns from a task whether it worked. */
import { ApiFailure, isApiMap, isApiSet } from '../../xapi/index.js'
import type { Parameters } from './arguments.js'
import type { Invocation } from './command.js'
import { ClientGone } from './conversation.js'

/** How long a failed transfer's reason may take to reach its task. */
const REASON_WAIT_S = 1
const TASK_WAIT_S = 30

export interface Download {
  /** Of the client's; empty for its standard output. */
  readonly file: string
  readonly path: string
  readonly query: Parameters
  readonly label: string
}

/** Throws ApiFailure with the reason the task was given; CLIENT_ERROR when only the client knows it. */
export async function downloadToClient(invocation: Invocation, download: Download): Promise<void> {
  const { conversation, rpc, sessionRef } = invocation
  const task = String(await rpc('task.create', download.label, ''))
  try {
    const query = [
      `session_id=${sessionRef}`,
      `task_id=${task}`,
      ...download.query.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`),
    ]
    await conversation.send({ name: 'HttpGet', file: download.file, url: `${download.path}?${query.join('&')}` })
    if ((await conversation.readOutcome()) === 'OK') {
      while (!(await isFinished(invocation, task, TASK_WAIT_S))) {}
      if ((await rpc('task.get_status', task)) !== 'success') throw await failureOf(invocation, task, 'INTERNAL_ERROR')
    } else {
      await isFinished(invocation, task, REASON_WAIT_S)
      throw await failureOf(invocation, task, 'CLIENT_ERROR')
    }
  } finally {
    await rpc('task.destroy', task).catch(() => {})
  }
}

/** Waits for the task to end, that many seconds at most. */
async function isFinished({ rpc, conversation }: Invocation, task: string, waitS: number): Promise<boolean> {
  const seen = await rpc('event.from', [`task/${task}`], '', 0)
  if ((await rpc('task.get_status', task)) !== 'pending') return true
  const token = isApiMap(seen) ? String(seen.token) : ''
  const gone = conversation.departure().then(() => {
    throw new ClientGone()
  })
  await Promise.race([rpc('event.from', [`task/${task}`], token, waitS), gone])
  return (await rpc('task.get_status', task)) !== 'pending'
}

async function failureOf({ rpc }: Invocation, task: string, otherwise: string): Promise<ApiFailure> {
  const words = await rpc('task.get_error_info', task)
  const [code, ...params] = isApiSet(words) ? words.map(String) : []
  return new ApiFailure(code ?? otherwise, params)
}
