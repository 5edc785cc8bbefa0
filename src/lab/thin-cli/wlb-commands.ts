/**
 * The commands about the pool's connection to Workload Balancing, its advice and its downloads (docs/protocol/wlb.md).
 */
import { ApiFailure, type ApiValue, isApiMap, isApiSet } from '../../xapi/index.js'
import { type Command, commandTable, type Invocation, type Rpc } from './command.js'
import { findValue, mapEntries, type Parameters, requireValue, withoutKeys } from './command-line.js'
import { ClientGone, type TableRecord } from './conversation.js'
import { selectVm } from './selection.js'

const CREDENTIALS = ['wlb_url', 'wlb_username', 'wlb_password', 'xenserver_username', 'xenserver_password'] as const

export const WLB_COMMANDS: readonly Command[] = commandTable([
  [
    'pool-initialize-wlb',
    CREDENTIALS.join(' '),
    '',
    'Connects the pool to a Workload Balancing appliance; wlb_url is NAME:PORT.',
    [],
    async ({ parameters, rpc }) => {
      await rpc('pool.initialize_wlb', ...CREDENTIALS.map((key) => requireValue(parameters, key)))
    },
  ],
  [
    'pool-deconfigure-wlb',
    '',
    '',
    'Ends the connection to Workload Balancing and forgets its settings.',
    [],
    async ({ rpc }) => {
      await rpc('pool.deconfigure_wlb')
    },
  ],
  [
    'pool-send-wlb-configuration',
    '',
    'config:',
    'Changes settings of Workload Balancing for this pool: config:KEY=VALUE.',
    [],
    async ({ parameters, rpc }) => {
      await rpc('pool.send_wlb_configuration', Object.fromEntries(mapEntries(parameters, 'config')))
    },
  ],
  [
    'pool-retrieve-wlb-configuration',
    '',
    '',
    'Shows the settings of Workload Balancing for this pool.',
    [],
    async ({ rpc, printer }) => {
      const settings = await rpc('pool.retrieve_wlb_configuration')
      const entries = isApiMap(settings) ? Object.entries(settings) : []
      await printer.table([entries.map(([key, value]) => [key, String(value)] as const)])
    },
  ],
  [
    'pool-retrieve-wlb-recommendations',
    '',
    '',
    'Shows which VMs Workload Balancing would move, where to and why.',
    [],
    async ({ rpc, printer }) => {
      const rows = await describeRows(await rpc('pool.retrieve_wlb_recommendations'), (ref) => nameVm(ref, rpc))
      await printer.table([[['VM', 'Host, OptID, RecID, Reason'], ...rows]])
    },
  ],
  [
    'host-retrieve-wlb-evacuate-recommendations',
    'uuid',
    '',
    'Shows where the VMs of a host would go, or why one of them cannot.',
    ['hidden'],
    async ({ parameters, rpc, printer }) => {
      const host = await rpc('host.get_by_uuid', requireValue(parameters, 'uuid'))
      const advice = await rpc('host.retrieve_wlb_evacuate_recommendations', host)
      await printer.table([
        [['VM', '[Host, RecID] / Error'], ...(await describeRows(advice, (ref) => nameVm(ref, rpc)))],
      ])
    },
  ],
  [
    'vm-retrieve-wlb-recommendations',
    '',
    '',
    'Shows how well each host would suit a VM.',
    ['vm-selectors'],
    async ({ parameters, rpc, printer }) => {
      const { ref } = await selectVm(parameters, rpc)
      const rows = await describeRows(await rpc('VM.retrieve_wlb_recommendations', ref), (host) => nameHost(host, rpc))
      await printer.table([[['Host(Uuid)', 'Stars, RecID, ZeroScoreReason'], ...rows]])
    },
  ],
  [
    'pool-retrieve-wlb-report',
    'report',
    'filename',
    'Fetches a report from Workload Balancing, into a local file or to the output. Other keys go to the report.',
    ['never-forward'],
    retrieveReport,
  ],
  [
    'pool-retrieve-wlb-diagnostics',
    '',
    'filename',
    "Fetches Workload Balancing's diagnostics, into a local file or to the output.",
    ['never-forward'],
    async (invocation) => {
      const file = findValue(invocation.parameters, 'filename') ?? ''
      await downloadToClient(invocation, {
        file,
        path: '/wlb_diagnostics',
        query: [],
        label: 'WLB diagnostics download',
      })
      await printDone(invocation, file, 'WLB diagnostics download succeeded')
    },
  ],
  [
    'pool-send-test-post',
    'dest-host dest-port body',
    '',
    'Posts a text to a server over TLS and shows its answer. It says nothing about Workload Balancing.',
    [],
    async ({ parameters, rpc, printer }) => {
      const port = requireValue(parameters, 'dest-port')
      if (!/^-?\d+$/.test(port)) throw new Error('Failure: Int64.of_string')
      const destination = [requireValue(parameters, 'dest-host'), BigInt(port), requireValue(parameters, 'body')]
      await printer.message(String(await rpc('pool.send_test_post', ...destination)))
    },
  ],
])

async function retrieveReport(invocation: Invocation): Promise<void> {
  const { parameters } = invocation
  const file = findValue(parameters, 'filename') ?? ''
  const query = [
    ['report', requireValue(parameters, 'report')] as const,
    ...withoutKeys(parameters, 'report', 'filename'),
  ]
  await downloadToClient(invocation, { file, path: '/wlb_report', query, label: 'Report download' })
  await printDone(invocation, file, 'Report generation succeeded')
}

/** Sent past the printer: this line appears with `--minimal` too. */
async function printDone({ conversation }: Invocation, file: string, text: string): Promise<void> {
  if (file !== '') await conversation.send({ name: 'Print', text })
}

async function describeRows(advice: ApiValue, nameOf: (ref: string) => Promise<string>): Promise<TableRecord> {
  const entries = isApiMap(advice) ? Object.entries(advice) : []
  return Promise.all(
    entries.map(
      async ([ref, words]): Promise<[string, string]> => [
        await nameOf(ref),
        isApiSet(words) ? words.join(' ') : String(words),
      ],
    ),
  )
}

async function nameVm(ref: string, rpc: Rpc): Promise<string> {
  return `${await rpc('VM.get_uuid', ref)} (${await rpc('VM.get_name_label', ref)})`
}

async function nameHost(ref: string, rpc: Rpc): Promise<string> {
  return `${await rpc('host.get_name_label', ref)}(${await rpc('host.get_uuid', ref)})`
}

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

/**
 * Lets the client fetch something from this server over HTTP. Throws ApiFailure with the reason in the task, or
 * CLIENT_ERROR when only the client knows the reason.
 */
async function downloadToClient(invocation: Invocation, download: Download): Promise<void> {
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
