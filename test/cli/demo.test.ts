/** The demo ends verified, with our own TLS client and with stunnel itself. */
import { describe, expect, test } from 'vitest'
import { requirePart } from '../real-parts.js'
import { run } from './program.js'

interface Document {
  readonly steps: readonly { readonly command: string; readonly ok: boolean; readonly said: string }[]
  readonly hosts: readonly { readonly name: string; readonly installed: string; readonly verdict: string }[]
  readonly verified: boolean
}

async function expectVerified(tlsClient: string): Promise<void> {
  const { stdout, exitCode } = await run('wlb', ['demo', '--once', '--json', '--tls-client', tlsClient])
  const document: Document = JSON.parse(stdout)
  expect(document.steps.filter(({ ok }) => !ok)).toEqual([])
  expect(document.hosts).toEqual(
    ['xs1', 'xs2', 'xs3'].map((name) => ({ name, installed: 'wlb.pem', verdict: 'verified' })),
  )
  expect(document).toMatchObject({ verified: true })
  expect(exitCode).toBe(0)
}

test('wlb demo --once --json with our own client', { timeout: 90_000 }, () => expectVerified('node'))

describe.skipIf(!requirePart('stunnel'))('with stunnel', () => {
  test('wlb demo --once --json with stunnel', { timeout: 90_000 }, () => expectVerified('stunnel'))
})
