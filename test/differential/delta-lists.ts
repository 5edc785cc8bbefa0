/** Delta CRLs, which OpenSSL reads like whole lists up to 3.0.19 and passes over since 3.0.20: ours follows the newer. */
import { spawnSync } from 'node:child_process'
import { readCrls } from '../../src/x509/validate/crl.js'
import type { JudgedSet } from './judge.js'

const version = spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? ''
const [, major, minor, patch = 0] = (/^OpenSSL (\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).map(Number)

/** Of the OpenSSL that stunnel and `openssl verify` on this machine use. */
export function readsDeltaLists(): boolean {
  return major === 3 && minor === 0 && patch < 20
}

export function hasDeltaList({ crlFiles }: Pick<JudgedSet, 'crlFiles'>): boolean {
  return Object.values(crlFiles).some((file) => readCrls(file).some(({ isDelta }) => isDelta))
}
