/** What completion offers on a line of `xe`, asked of the lab's own commands; and what the real `xe`'s completion asks. */
import { homedir } from 'node:os'
import { describe, expect, it, test } from 'vitest'
import type { Answer } from '../../../src/cli/completion/answer.js'
import { readMinimal } from '../../../src/cli/completion/xe-answers.js'
import { completeXe } from '../../../src/cli/completion/xe-words.js'
import { CERTIFICATE, createPool, GUEST, HOST1, HOST2, POOL } from '../../lab/cli/pool-in-memory.js'
import { hostFor, xe } from '../../lab/cli/raw-client.js'

/** Blanks separate the words; what stands behind the last one is at the cursor. */
async function offered(line: string): Promise<string> {
  const ask = async (...args: readonly string[]) => (await xe(hostFor(createPool()), args)).stdout
  return describeAnswer(await completeXe(line.split(' ').slice(1), () => ask))
}

/** `word` and `open=>` where more is to be typed, what it means in brackets, the first four. */
function describeAnswer(answer: Answer): string {
  if (answer.kind === 'files') return `${answer.only} files behind "${answer.head}"`
  const shown = answer.candidates.map(
    ({ word, meaning, isOpen }) => `${word}${isOpen ? '>' : ''}${meaning ? ` (${meaning})` : ''}`,
  )
  return [...shown.slice(0, 4), ...(shown.length > 4 ? [`+${shown.length - 4}`] : [])].join(' | ')
}

const LINES: [line: string, offered: string][] = [
  ['xe ', 'certificate-> | event-> | host-> | message-> | +12'],
  ['xe h', 'host-> | help'],
  ['xe event', 'event-wait'],
  [
    'xe pool-crl',
    'pool-crl-install (Gives every host of the pool a certificate revocation list) | pool-crl-list (Shows the names of the certificate revocation lists) | pool-crl-uninstall (Takes a certificate revocation list away from every host of the pool)',
  ],
  ['xe help pool-list ev', 'event-wait'],
  ['xe help --', '--all | --minimal'],
  ['xe nonsense ', ''],
  ['xe pool-certificate-install ', 'filename=>'],
  ['xe pool-certificate-install filename=', 'any files behind "filename="'],
  ['xe pool-certificate-uninstall name=', ''],
  ['xe pool-param-set wlb-', 'wlb-enabled=> (OPTIONAL) | wlb-verify-cert=> (OPTIONAL)'],
  ['xe pool-param-set u', 'uuid=> (REQUIRED)'],
  ['xe pool-param-set wlb-enabled=true wlb-', 'wlb-verify-cert=> (OPTIONAL)'],
  ['xe pool-param-set other', 'other-config:> (OPTIONAL)'],
  ['xe pool-param-set other-config:a=b other', 'other-config:> (OPTIONAL)'],
  ['xe host-get-server-certificate ho', 'host=> | hostname=> | host-metrics-live=>'],
  ['xe vm-retrieve-wlb-recommendations vm', 'vm=>'],
  ['xe pool-param-set wlb-verify-cert=', 'wlb-verify-cert=true | wlb-verify-cert=false'],
  ['xe pool-param-set https-only=f', 'https-only=false'],
  ['xe pool-param-set name-label=', ''],
  ['xe pool-param-set default-SR=', ''],
  ['xe host-param-get uuid=', `uuid=${HOST1} (host1) | uuid=${HOST2} (host2)`],
  ['xe vm-param-get uuid=', `uuid=dom0-uuid (Control domain on host: host1) | uuid=${GUEST} (web, front)`],
  [
    'xe pool-uninstall-trusted-certificate certificate-uuid=c0ffee00-0000-4000-8000-000000000001',
    `certificate-uuid=${CERTIFICATE} (wlb.pem)`,
  ],
  ['xe host-get-server-certificate host=', 'host=host1 | host=host2'],
  ['xe vm-retrieve-wlb-recommendations vm=w', 'vm=web, front'],
  ['xe certificate-list type=', 'type=ca | type=host_internal'],
  ['xe certificate-list host=', `host=${HOST2}`], // those of no host are left out
  ['xe pool-list params=wlb-v', 'params=wlb-verify-cert'],
  ['xe pool-list params=uuid,name', 'params=uuid,name-label | params=uuid,name-description'],
  ['xe pool-list params=name-label,name', 'params=name-label,name-description'],
  ['xe pool-list params=al', 'params=allowed-operations | params=all'],
  [`xe pool-param-get uuid=${POOL} param-name=wlb-v`, 'param-name=wlb-verify-cert'],
  ['xe pool-param-get uuid=none param-name=wlb-v', 'param-name=wlb-verify-cert'],
  ['xe pool-param-add param-name=ta', 'param-name=tags'],
  ['xe pool-param-remove param-name=wlb', ''],
  ['xe pool-param-clear param-name=', ''],
  ['xe pool-install-trusted-certificate purpose=licensing,', 'purpose=licensing,ldaps'],
  ['xe event-wait class=po', 'class=pool'],
  ['xe pool-uninstall-ca-certificate --', '--minimal | --force | --trace'],
  [
    'xe -',
    '-s (the server: the coordinator, or this host if left out) | -p (its port) | -u (the user name) | -pw (the password) | +7',
  ],
  ['xe -pwf ', 'any files behind ""'],
  ['xe -s ', ''],
]

describe('offers, as the pool itself has it', () => {
  it.each(LINES)('%s', async (line, expected) => {
    expect(await offered(line)).toBe(expected)
  })

  test('behind uuid= the identifier of the one pool', async () => {
    expect(await offered('xe pool-param-set uuid=')).toBe(`uuid=${POOL} (lab)`)
    expect(await offered('xe pool-param-set wlb-verify-cert=true uuid=0')).toBe(`uuid=${POOL} (lab)`)
    expect(await offered('xe -s xs1 --nossl pool-param-set uuid=')).toBe(`uuid=${POOL} (lab)`)
  })

  test('nothing where the pool says nothing', async () => {
    for (const [line] of LINES) {
      const answer = await completeXe(line.split(' ').slice(1), () => async () => '')
      const asksNothing = /^xe -|--$|(filename|class|purpose|wlb-verify-cert)=/.test(line) || line.includes('params=al')
      if (!asksNothing) expect(describeAnswer(answer), line).toBe('')
    }
  })
})

const OPTIONS: [line: string, options: string, password?: string][] = [
  ['xe -s xs1 -p 443 -u root -pwf pw pool-param-set uuid=', '-s xs1 -p 443 -u root -pwf pw'],
  ['xe -s xs1 -pwf ~/pw pool-param-set uuid=', `-s xs1 -pwf ${homedir()}/pw`],
  ['xe pool-param-set server=xs1 nossl=true -p 80 uuid=', 'server=xs1 nossl=true -p 80'],
  ['xe -h xs1 -pw a,b --nossl pool-param-set uuid=', '-h xs1 --nossl', 'a,b'],
  ['xe password=geheim --debug --traceparent 00-1 pool-param-set uuid=', '', 'geheim'],
  ['xe certificate-list fingerprint=AA uuid=', ''],
]
it.each(OPTIONS)('asks with the options typed: %s', async (line, options, password) => {
  const asked: unknown[] = []
  await completeXe(line.split(' ').slice(1), (client) => {
    asked.push(client.options.join(' '), client.password)
    return async () => ''
  })
  expect(asked).toEqual([options, password])
})

const MINIMAL: [text: string, values: string[]][] = [
  ['\n', []],
  ['a,b\n', ['a', 'b']],
  ['a\\,b,c\n', ['a,b', 'c']],
  ['a\\\\,b\n', ['a\\', 'b']],
  ['a\\\\\\,b\n', ['a\\,b']],
  ['<not in database>,a,a,,b\n', ['a', 'b']],
]
it.each(MINIMAL)('%j', (text, values) => {
  expect(readMinimal(text)).toEqual(values)
})

describe('answers what the completion of the real `xe` asks', () => {
  const CALLS: [call: string, answer: string | RegExp][] = [
    ['help --minimal --all', /^certificate-list,certificate-param-get,.*,vm-unpause\n$/],
    [
      'help pool-param-set',
      /\n +reqd params {5}: uuid\n +optional params : name-label, name-description, .*other-config:,/,
    ],
    ['help host-get-server-certificate', /\n +optional params : <host-selectors>\n +description {5}: \w[^.\n]+\./],
    ['pool-list --minimal params=uuid', `${POOL}\n`],
    [`pool-list params=name-label,number,vm-name-label,device --minimal uuid=${POOL}`, 'lab\n'],
    [`vm-list params=name-label,number,vm-name-label,device --minimal uuid=${GUEST}`, 'web\\, front\n'],
    ['host-list --all --minimal params=uuid', `${HOST1},${HOST2}\n`],
    ['certificate-list --all --minimal params=uuid', new RegExp(`^${CERTIFICATE},`)],
    [`certificate-list params=name-label,device --minimal uuid=${CERTIFICATE}`, '\n'],
    ['host-list --minimal params=name-label', 'host1,host2\n'],
    ['sr-list --minimal params=name-label', '\n'],
    ['pool-list params=uuid --minimal', `${POOL}\n`],
    [`pool-list params=all uuid=${POOL}`, /^uuid \( RO\) +: .*\n +name-label \( RW\): lab\n/],
    ['pool-list params=all', /\n +tags \(SRW\): blue, a, b\n/],
    ['certificate-list --minimal params=type', 'ca,host_internal,ca\n'],
  ]
  it.each(CALLS)('xe %s', async (call, answer) => {
    const { stdout, stderr, exit } = await xe(hostFor(createPool()), call)
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 })
    if (typeof answer === 'string') expect(stdout).toBe(answer)
    else expect(stdout).toMatch(answer)
  })
})
