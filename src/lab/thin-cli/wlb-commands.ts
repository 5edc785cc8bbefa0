/** The pool's connection to Workload Balancing, and what it is asked (docs/protocol/wlb.md). */
import { type ApiValue, isApiMap, isApiSet } from '../../xapi/index.js'
import type { Rpc } from '../host/rpc.js'
import { findValue, mapEntries, requireValue, withoutKeys } from './arguments.js'
import { type Command, commandTable, type Invocation } from './command.js'
import { downloadToClient } from './download.js'
import type { TableRecord } from './printer.js'
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
      await sayDone(invocation, file, 'WLB diagnostics download succeeded')
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
  await sayDone(invocation, file, 'Report generation succeeded')
}

/** Straight to the client: this line is there with `--minimal` too. */
async function sayDone({ conversation }: Invocation, file: string, text: string): Promise<void> {
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
