/**
 * Which findings there are, the one to mend first in front; what it fails by; the error the pool ends with. Evidence is
 * made of words (evidence-words.ts); of findings the row is shown, with w for a warning, n for a note, and the host.
 */
import { expect, it } from 'vitest'
import { leaves } from '../../scripts/reference-page.js'
import { commandLine } from '../../src/cli/command-line.js'
import { diagnose } from '../../src/trust/index.js'
import { evidenceOf } from './evidence.js'

const rows: readonly [row: number, words: string, outcome: string][] = [
  [1, 'leaf expired', 'certificate; 1; certificate has expired'],
  [1, 'self-signed; leaf expired', 'certificate; 1; certificate has expired'],
  [2, 'intermediate expired', 'certificate; 2; certificate has expired'],
  [3, 'root expired', 'certificate; 3; certificate has expired'],
  [3, 'root not sent; root expired', 'certificate; 3; certificate has expired'],
  [4, 'leaf not yet valid', 'certificate; 4; certificate is not yet valid'],
  [5, 'xs1 a year behind', 'certificate; 5@xs1; certificate is not yet valid'],
  [5, 'all hosts a year behind', 'certificate; 5; certificate is not yet valid'],
  [5, 'xs2 ten minutes ahead', 'certificate; 5w@xs2; works'],
  [5, 'we are late', 'healthy; 5n; works'],
  [6, 'other CN', 'certificate; 6; Subject checks failed'],
  [7, 'other SAN', 'certificate; 7; Subject checks failed'],
  [8, 'by address', 'certificate; 8; Subject checks failed'],
  [8, 'self-signed; by address', 'certificate; 8; Subject checks failed'],
  [10, 'short name', 'certificate; 10; Subject checks failed'],
  [11, 'dot at the end', 'certificate; 11; Subject checks failed'],
  [12, 'capitals', 'healthy; 12n; works'],
  [13, 'wildcard', 'healthy; 13n; works'],
  [14, 'high wildcard', 'certificate; 14; Subject checks failed'],
  [15, 'leaf alone', 'certificate; 15; unable to get local issuer certificate'],
  [15, 'leaf alone; intermediate known', 'certificate; 15; unable to get local issuer certificate'],
  [16, 'root before intermediate', 'healthy; 16n; works'],
  [17, 'root first', 'network; 17w; works'],
  [18, 'joined', 'network; 18w; works'],
  [19, 'other installed', 'certificate; 19; self-signed certificate in certificate chain'],
  [19, 'one from before installed', 'certificate; 19; self-signed certificate in certificate chain'],
  [19, 'wlb.pem is another', 'certificate; 19; self-signed certificate in certificate chain'],
  [19, 'root not sent; other installed', 'certificate; 19; unable to get local issuer certificate'],
  [19, 'root not sent; cut later', 'certificate; 19; unable to get local issuer certificate'],
  [20, 'rekeyed installed', 'certificate; 20; certificate signature failure'],
  [20, 'root not sent; rekeyed installed', 'certificate; 20; certificate signature failure'],
  [21, 'intermediate installed', 'certificate; 21; unable to get issuer certificate'],
  [21, 'root not sent; intermediate installed', 'certificate; 21; unable to get issuer certificate'],
  [22, 'nothing installed', 'certificate; 22; INTERNAL_ERROR'],
  [22, 'self-signed; nothing installed', 'certificate; 22; INTERNAL_ERROR'],
  [23, 'leaf installed', 'certificate; 23; self-signed certificate in certificate chain'],
  [23, 'leaf alone; leaf installed', 'certificate; 23; unable to get local issuer certificate'],
  [24, 'self-signed; other installed', 'certificate; 24; self-signed certificate'],
  [25, 'self-signed; one from before installed', 'certificate; 25; self-signed certificate'],
  [27, 'old pool', 'certificate; 27; Certificate not found in local repository'],
  [28, 'xs3 lacks it', 'certificate; 28@xs3; works'],
  [28, 'xs1 lacks it', 'certificate; 28@xs1; INTERNAL_ERROR'],
  [28, 'self-signed; xs3 lacks it', 'certificate; 28@xs3; works'],
  [29, 'no record', 'certificate; 29w; works'],
  [31, 'self-signed; wlb.pem is another', 'certificate; 31; self-signed certificate'],
  [32, 'misnamed', 'certificate; 32; INTERNAL_ERROR'],
  [37, 'cut first', 'certificate; 37; INTERNAL_ERROR'],
  [38, 'cut later', 'certificate; 38; self-signed certificate in certificate chain'],
  [38, 'self-signed; cut later', 'certificate; 38; self-signed certificate'],
  [39, 'expired installed too', 'certificate; 39w; works'],
  [40, 'other key', 'network; 40w; works'],
  [41, 'encrypted key', 'network; 41w; works'],
  [42, 'open key', 'none; 42w; works'],
  [43, 'weak leaf', 'certificate; 43; EE certificate key too weak'],
  [44, 'weak intermediate', 'certificate; 44; CA certificate key too weak'],
  [45, 'SHA-1', 'certificate; 45; CA signature digest algorithm too weak'],
  [46, 'elliptic', 'network; 46; WLB_CONNECTION_RESET'],
  [47, 'TLS 1.3', 'network; 47; WLB_CONNECTION_RESET'],
  [48, 'TLS 1.1', 'network; 48; WLB_CONNECTION_RESET'],
  [49, 'other suites', 'network; 49; WLB_CONNECTION_RESET'],
  [50, 'other curves', 'network; 50; WLB_CONNECTION_RESET'],
  [51, 'client certificate', 'network; 51; WLB_CONNECTION_RESET'],
  [52, 'for clients', 'certificate; 52; unsuitable certificate purpose'],
  [53, 'usage of an authority', 'certificate; 53; unsuitable certificate purpose'],
  [54, 'intermediate may not sign', 'certificate; 54; invalid CA certificate'],
  [55, 'intermediate is none', 'certificate; 55; invalid CA certificate'],
  [56, 'root allows none below', 'certificate; 56; path length constraint exceeded'],
  [57, 'other domain only', 'certificate; 57; permitted subtree violation'],
  [58, 'revoked', 'certificate; 58; certificate revoked'],
  [59, 'list expired', 'certificate; 59; CRL has expired'],
  [60, 'list in the future', 'certificate; 60; CRL is not yet valid'],
  [61, 'self-signed; list of the root', 'certificate; 61; unable to get certificate CRL'],
  [62, 'list of the root', 'certificate; 62; unable to get certificate CRL'],
  [63, 'list of another key', 'certificate; 63; CRL signature failure'],
  [64, 'list misnamed', 'certificate; 64; unable to get certificate CRL'],
  [65, 'stopped', 'network; 65; WLB_CONNECTION_REFUSED'],
  [65, 'closed', 'network; 65; WLB_CONNECTION_REFUSED'],
  [66, 'silent', 'network; 66; WLB_TIMEOUT'],
  [66, 'silent for hosts', 'network; 66; WLB_TIMEOUT'],
  [67, 'plain HTTP', 'network; 67; WLB_CONNECTION_RESET'],
  [68, 'name unknown', 'network; 68; WLB_UNKNOWN_HOST'],
  [68, 'name unknown to new stunnels', 'network; 68; WLB_CONNECTION_RESET'],
  [69, 'another machine', 'certificate; 69; Subject checks failed'],
  [70, 'no route', 'network; 70; WLB_UNKNOWN_HOST'],
  [71, 'not restarted', 'certificate; 71; certificate has expired'],
  [72, 'verification off', 'none; 72w; works'],
  [72, 'self-signed; verification off', 'none; 72w; works'],
  [74, 'a middlebox', 'certificate; 74; self-signed certificate in certificate chain'],
  [75, 'wrong password', 'credentials; 75; WLB_AUTHENTICATION_FAILED'],
  [76, 'pool password wrong', 'credentials; 76; WLB_INTERNAL_ERROR'],
  [76, 'credentials not valid', 'credentials; 76; works'],
  [77, 'paused', 'healthy; 77n; works'],
  [77, 'not connected', 'none; 77; WLB_NOT_INITIALIZED'],
  [77, 'no licence', 'none; 77; LICENSE_RESTRICTION'],
  [79, 'xs3 holds another', 'certificate; 79@xs3; works'],
  [80, 'no fingerprints', 'certificate; 80w; works'],
  [9, 'address as name; by address', 'healthy; 9n; works'],
  [73, 'nothing installed; TLS verification on', 'certificate; 73; INTERNAL_ERROR'],
  [41, 'encrypted key; stopped', 'network; 41; WLB_CONNECTION_REFUSED'],
]

/** What only a look at disks shows. */
const disks: readonly [row: number, words: string, outcome: string][] = [
  [28, 'xs3 lacks it; disks seen', 'certificate; 28@xs3; works'],
  [28, 'self-signed; xs3 lacks it; disks seen', 'certificate; 28@xs3; works'],
  [28, 'xs1 lacks it; disks seen', 'certificate; 28@xs1; INTERNAL_ERROR'],
  [28, 'xs3 lacks it; verification off; disks seen', 'certificate; 72w 28w@xs3; works'],
  [28, 'xs3 lacks it; xs3 down; disks seen', 'certificate; 28@xs3; works'],
  [29, 'self-signed; no record; disks seen', 'certificate; 29w; works'],
  [29, 'no record; disks seen', 'certificate; 29w; works'],
  [29, 'self-signed; no record; xs3 lacks it; disks seen', 'certificate; 29@xs3; works'],
  [29, 'self-signed; no record; disk of xs1 seen', 'certificate; 29w; works'],
  [30, 'xs3 lacks it; xs3 written long ago; disks seen', 'certificate; 30@xs3; works'],
  [30, 'xs3 holds another; xs3 written long ago; disks seen', 'certificate; 30@xs3; works'],
  [30, 'xs3 holds more; xs3 written long ago; disks seen', 'certificate; 30w@xs3; works'],
  [33, 'chain in a file; disks seen', 'certificate; 33w; works'],
  [33, 'self-signed; chain in a file; disks seen', 'certificate; 33w; works'],
  [34, 'DER files; disks seen', 'certificate; 34; INTERNAL_ERROR'],
  [34, 'self-signed; DER files; disks seen', 'certificate; 34; INTERNAL_ERROR'],
  [34, 'a DER file on xs3; disks seen', 'certificate; 34@xs3; works'],
  [34, 'a request for a certificate; disks seen', 'certificate; 34; INTERNAL_ERROR'],
  [34, 'DER files; verification off; disks seen', 'certificate; 34w 72w; works'],
  [35, 'trusted files; disks seen', 'certificate; 35; INTERNAL_ERROR'],
  [36, 'marked files; disks seen', 'healthy; 36n; works'],
  // behind another file, a byte order mark hides the block from OpenSSL
  [36, 'two installed; marked files; disks seen', 'certificate; 36 36n; unable to get issuer certificate'],
  [37, 'cut first; disks seen', 'certificate; 37; INTERNAL_ERROR'],
  [37, 'cut first; verification off; disks seen', 'certificate; 37w 72w; works'],
  [37, 'bundle of xs1 gone; disks seen', 'certificate; 37@xs1; INTERNAL_ERROR'],
  [37, 'bundle of xs1 damaged; disks seen', 'certificate; 37@xs1; INTERNAL_ERROR'],
  [38, 'cut later; disks seen', 'certificate; 38; self-signed certificate in certificate chain'],
  [78, 'folder among the files; disks seen', 'certificate; 78w; works'],
  [78, 'folder on xs3; disks seen', 'certificate; 78w@xs3; works'],
  [78, 'bundle of xs3 gone; disks seen', 'certificate; 78@xs3; works'],
  [78, 'bundle of xs3 of another; disks seen', 'certificate; 78@xs3; works'],
  [79, 'xs3 holds another of that name; disks seen', 'certificate; 79@xs3; works'],
  [28, 'xs3 holds another; disks seen', 'certificate; 28@xs3 0w@xs3; works'],
  [28, 'two installed; xs3 holds another; disks seen', 'certificate; 28@xs3 0w@xs3; works'],
]

/** A disk that was not seen leaves the guess from outside. */
const unseen: readonly [words: string, outcome: string][] = [
  ['a DER file on xs3; disk of xs3 not seen', 'certificate; 28@xs3; works'],
  ['DER files; disk of xs3 not seen', 'certificate; 34 37@xs3; INTERNAL_ERROR'],
  ['folder on xs3; disk of xs3 not seen', 'healthy; nothing; works'],
]

const others: readonly [words: string, outcome: string][] = [
  ['disks seen', 'healthy; nothing; works'],
  ['self-signed; disks seen', 'healthy; nothing; works'],
  ['two installed; disks seen', 'healthy; nothing; works'],
  ['xs3 down; disks seen', 'healthy; nothing; works'],
  ['list of the issuer; disks seen', 'healthy; nothing; works'],
  ['local', 'healthy; nothing; works'],
  ['healthy', 'healthy; nothing; works'],
  ['leaf ends in 5 days', 'healthy; 0n; works'],
  ['leaf ends in 40 days', 'healthy; nothing; works'],
  ['intermediate ends in 40 days', 'healthy; nothing; works'],
  ['root ends in 40 days', 'healthy; nothing; works'],
  ['address as name', 'healthy; nothing; works'],
  ['self-signed', 'healthy; nothing; works'],
  ['root not sent', 'healthy; nothing; works'],
  ['all known', 'healthy; nothing; works'],
  ['intermediate known', 'healthy; nothing; works'],
  ['list of the issuer', 'healthy; nothing; works'],
  ['out of reach from here', 'healthy; nothing; works'],
  ['TLS verification on', 'healthy; nothing; works'],
  ['reason left out', 'healthy; nothing; works'],
  ['xs3 down', 'healthy; nothing; works'],
  ['no pool', 'healthy; nothing; works'],
  ['in 60 days', 'healthy; nothing; works'],
]

const several: readonly [words: string, outcome: string][] = [
  ['xs3 holds more; disks seen', 'certificate; 0w@xs3; works'],
  ['key in a file; disks seen', 'certificate; 0w; works'],
  ['on no disk; disks seen', 'certificate; 0; INTERNAL_ERROR'],
  ['self-signed; on no disk; disks seen', 'certificate; 0; INTERNAL_ERROR'],
  ['all disks hold another; disks seen', 'certificate; 0w@xs1; works'],
  ['nothing installed; disks seen', 'certificate; 22; INTERNAL_ERROR'],
  ['other installed; disks seen', 'certificate; 19; self-signed certificate in certificate chain'],
  ['no fingerprints; disks seen', 'certificate; 80w; works'],
  ['misnamed; disks seen', 'certificate; 32; INTERNAL_ERROR'],
  ['leaf expired; xs3 lacks it; disks seen', 'certificate; 1 28@xs3; certificate has expired'],
  ['DER files; leaf expired; disks seen', 'certificate; 34 1; INTERNAL_ERROR'],
  ['folder on xs3; other CN; disks seen', 'certificate; 6 78w@xs3; Subject checks failed'],
  ['closed; chain in a file; disks seen', 'network; 65 33w; WLB_CONNECTION_REFUSED'],
  ['nobody asked; xs1 lacks it; disks seen', 'certificate; 28@xs1; INTERNAL_ERROR'],
  ['nobody asked; disks seen', 'unknown; nothing; works'],
  ['name unknown to xs2', 'network; 68@xs2; works'],
  ['broken off', 'network; 0; WLB_CONNECTION_RESET'],
  ['odd answer', 'unknown; 0; WLB_MALFORMED_RESPONSE'],
  ['xs3 hangs', 'unknown; nothing; works'],
  ['xs3 hangs; leaf expired', 'certificate; 1; certificate has expired'],
  ['xs3 hangs; xs2 ten minutes ahead', 'unknown; 5w@xs2; works'],
  ['nobody asked', 'unknown; nothing; works'],
  ['self-signed; no record; xs3 lacks it', 'certificate; 29@xs3; works'],
  ['self-signed; verification off; nothing installed', 'none; 72w; works'],
  ['self-signed; verification off; other installed', 'certificate; 24w 72w; works'],
  ['self-signed; verification off; leaf expired', 'certificate; 1w 72w; works'],
  ['nothing installed; leaf expired', 'certificate; 22 1; INTERNAL_ERROR'],
  ['nothing installed; other CN; leaf expired', 'certificate; 22 1 6; INTERNAL_ERROR'],
  ['leaf alone; root expired', 'certificate; 15 3; unable to get local issuer certificate'],
  ['leaf alone; root expired; all known', 'certificate; 15 3; unable to get local issuer certificate'],
  ['leaf alone; by address', 'certificate; 15 8; unable to get local issuer certificate'],
  ['root not sent; rekeyed installed; all known', 'certificate; 20; certificate signature failure'],
  ['root not sent; cut later; all known', 'certificate; 38; unable to get local issuer certificate'],
  ['root not sent; leaf expired; other CN', 'certificate; 1 6; certificate has expired'],
  ['other installed; leaf expired', 'certificate; 19 1; self-signed certificate in certificate chain'],
  ['other installed; other SAN', 'certificate; 19 7; self-signed certificate in certificate chain'],
  ['other installed; list of the root', 'certificate; 19; self-signed certificate in certificate chain'],
  ['other installed; weak leaf', 'certificate; 43; EE certificate key too weak'],
  ['leaf installed; by address', 'certificate; 23 8; self-signed certificate in certificate chain'],
  ['intermediate installed; leaf expired', 'certificate; 21 1; unable to get issuer certificate'],
  ['leaf expired; other CN', 'certificate; 1 6; certificate has expired'],
  ['leaf expired; intermediate expired', 'certificate; 2 1; certificate has expired'],
  ['leaf expired; root expired', 'certificate; 3 1; certificate has expired'],
  ['intermediate expired; other SAN', 'certificate; 2 7; certificate has expired'],
  ['leaf expired; list of the root', 'certificate; 62 1; unable to get certificate CRL'],
  ['leaf expired; revoked', 'certificate; 58 1; certificate revoked'],
  ['leaf expired; SHA-1', 'certificate; 45 1; CA signature digest algorithm too weak'],
  ['leaf expired; for clients', 'certificate; 52 1; unsuitable certificate purpose'],
  ['leaf expired; weak intermediate', 'certificate; 44 1; CA certificate key too weak'],
  ['leaf expired; xs1 a year behind', 'certificate; 5@xs1 1; certificate is not yet valid'],
  ['leaf expired; xs3 lacks it', 'certificate; 1 28@xs3; certificate has expired'],
  ['leaf not yet valid; other CN', 'certificate; 4 6; certificate is not yet valid'],
  ['revoked; by address', 'certificate; 58 8; certificate revoked'],
  ['list expired; short name', 'certificate; 59 10; CRL has expired'],
  ['list misnamed; other CN', 'certificate; 64 6; unable to get certificate CRL'],
  ['list misnamed; verification off', 'none; 72w; works'],
  ['other domain only; other CN', 'certificate; 6 57; Subject checks failed'],
  ['SHA-1; weak intermediate', 'certificate; 45 44; CA signature digest algorithm too weak'],
  ['SHA-1; other CN', 'certificate; 45 6; CA signature digest algorithm too weak'],
  ['intermediate is none; intermediate expired', 'certificate; 55 2; invalid CA certificate'],
  ['intermediate may not sign; other CN', 'certificate; 54 6; invalid CA certificate'],
  ['root allows none below; leaf expired', 'certificate; 56 1; path length constraint exceeded'],
  ['closed; nothing installed', 'network; 65 22; INTERNAL_ERROR'],
  ['closed; leaf expired', 'network; 65; WLB_CONNECTION_REFUSED'],
  ['closed; verification off', 'network; 65 72w; WLB_CONNECTION_REFUSED'],
  ['silent; nothing installed', 'network; 66 22; INTERNAL_ERROR'],
  ['plain HTTP; verification off', 'network; 67 72w; WLB_CONNECTION_RESET'],
  ['elliptic; nothing installed', 'network; 46 22; INTERNAL_ERROR'],
  ['TLS 1.3; nothing installed', 'network; 47 22; INTERNAL_ERROR'],
  ['other curves; verification off', 'network; 50 72w; WLB_CONNECTION_RESET'],
  ['client certificate; leaf expired', 'network; 51 1; WLB_CONNECTION_RESET'],
  ['client certificate; nothing installed', 'network; 51 22; INTERNAL_ERROR'],
  ['name unknown; nothing installed', 'certificate; 22; INTERNAL_ERROR'],
  ['name unknown to xs2; xs3 lacks it', 'network; 68@xs2 28@xs3; works'],
  ['no route; paused', 'network; 70 77n; WLB_UNKNOWN_HOST'],
  ['out of reach from here; xs3 lacks it', 'certificate; 28@xs3; works'],
  ['wrong password; leaf expired', 'certificate; 1; certificate has expired'],
  ['wrong password; verification off', 'credentials; 75 72w; WLB_AUTHENTICATION_FAILED'],
  ['wrong password; no fingerprints', 'credentials; 75 80w; WLB_AUTHENTICATION_FAILED'],
  ['pool password wrong; verification off', 'credentials; 76 72w; WLB_INTERNAL_ERROR'],
  ['pool password wrong; xs3 lacks it', 'credentials; 76 28@xs3; WLB_INTERNAL_ERROR'],
  ['credentials not valid; xs2 ten minutes ahead', 'credentials; 76 5w@xs2; works'],
  ['paused; verification off', 'none; 72w 77n; works'],
  ['paused; leaf expired', 'certificate; 1 77n; certificate has expired'],
  ['not connected; nothing installed', 'certificate; 22 77; WLB_NOT_INITIALIZED'],
  ['not connected; verification off', 'none; 77; WLB_NOT_INITIALIZED'],
  ['xs3 lacks it; no fingerprints', 'certificate; 28@xs3 80w; works'],
  ['xs3 lacks it; expired installed too', 'certificate; 28@xs3 39w; works'],
  ['xs3 holds another; by address', 'certificate; 8 79@xs3; Subject checks failed'],
  ['xs1 lacks it; xs2 ten minutes ahead', 'certificate; 28@xs1 5w@xs2; INTERNAL_ERROR'],
  ['cut first; leaf expired', 'certificate; 37 1; INTERNAL_ERROR'],
  ['cut first; verification off', 'none; 72w; works'],
  ['misnamed; leaf expired', 'certificate; 32 1; INTERNAL_ERROR'],
  ['cut later; other CN', 'certificate; 38 6; self-signed certificate in certificate chain'],
  ['root first; leaf expired', 'certificate; 1 17w; certificate has expired'],
  ['open key; verification off', 'none; 42w 72w; works'],
  ['not restarted; nothing installed', 'certificate; 22 71; INTERNAL_ERROR'],
  ['another machine; nothing installed', 'certificate; 22 69; INTERNAL_ERROR'],
  ['a middlebox; leaf expired', 'certificate; 74; self-signed certificate in certificate chain'],
  ['old pool; leaf expired', 'certificate; 1 27; certificate has expired'],
  ['old pool; other CN', 'certificate; 6 27; Subject checks failed'],
  ['old pool; verification off', 'certificate; 27w 72w; works'],
  ['old pool; leaf installed', 'certificate; 23; self-signed certificate in certificate chain'],
  ['reason left out; leaf expired', 'certificate; 1; SSL_VERIFY_ERROR'],
  ['reason left out; other installed', 'certificate; 19; SSL_VERIFY_ERROR'],
  ['nobody asked; leaf expired', 'certificate; 1; certificate has expired'],
  ['nobody asked; other installed', 'unknown; nothing; works'], // it may be a renewed root of the same key
  ['nobody asked; all known', 'unknown; nothing; works'],
  ['xs3 down; leaf expired', 'certificate; 1; certificate has expired'],
  ['no pool; leaf expired', 'certificate; 1; certificate has expired'],
  ['no pool; by address', 'healthy; nothing; works'],
  ['no pool; other CN', 'certificate; 6; Subject checks failed'],
  ['no pool; leaf alone', 'healthy; nothing; works'],
  ['no pool; elliptic', 'network; 46; WLB_CONNECTION_RESET'],
  ['no pool; closed', 'network; 65; WLB_CONNECTION_REFUSED'],
  ['leaf ends in 40 days; in 60 days', 'certificate; 1; certificate has expired'],
  ['intermediate ends in 40 days; in 60 days', 'certificate; 2; certificate has expired'],
  ['root ends in 40 days; in 60 days', 'certificate; 3; certificate has expired'],
  ['root not sent; root ends in 40 days; in 60 days', 'certificate; 3; certificate has expired'],
  ['leaf ends in 40 days; in 60 days; verification off', 'certificate; 1w 72w; works'],
  ['leaf ends in 40 days; in 60 days; other CN', 'certificate; 1 6; certificate has expired'],
  ['leaf ends in 40 days; in 60 days; closed', 'network; 65; WLB_CONNECTION_REFUSED'],
  ['leaf ends in 40 days; in 60 days; nothing installed', 'certificate; 22 1; INTERNAL_ERROR'],
  ['leaf ends in 40 days; in 60 days; nobody asked', 'certificate; 1; certificate has expired'],
  ['leaf not yet valid; in 60 days', 'healthy; nothing; works'],
  ['by address; leaf ends in 5 days', 'certificate; 8 0n; Subject checks failed'],
  ['root before intermediate; leaf ends in 5 days', 'healthy; 16n 0n; works'],
  ['xs2 ten minutes ahead; leaf ends in 5 days', 'certificate; 5w@xs2 0n; works'],
]

async function outcomeOf(words: string): Promise<string> {
  const { healthy, blame, predicted, findings } = diagnose(await evidenceOf(words))
  const [code = '', text = ''] = predicted
  const error = code === 'SSL_VERIFY_ERROR' ? text.replace('Pre-verification error: ', '') : code
  const list = findings.map(
    ({ row, severity, host }) => `${row}${severity === 'error' ? '' : severity.charAt(0)}${host && `@${host}`}`,
  )
  return [healthy ? 'healthy' : blame, list.join(' ') || 'nothing', error || code || 'works'].join('; ')
}

it.each(rows)('row %i: %s: %s', async (_, words, outcome) => {
  expect(await outcomeOf(words)).toBe(outcome)
})

it.each(disks)('row %i: %s: %s', async (_, words, outcome) => {
  expect(await outcomeOf(words)).toBe(outcome)
})

it.each(unseen)('%s: %s', async (words, outcome) => {
  expect(await outcomeOf(words)).toBe(outcome)
})

it.each(others)('%s: %s', async (words, outcome) => {
  expect(await outcomeOf(words)).toBe(outcome)
})

it.each(several)('several at once: %s: %s', async (words, outcome) => {
  expect(await outcomeOf(words)).toBe(outcome)
})

it('every finding says what it is, what was seen and what to type, in one sentence and one line each', async () => {
  const all = [...[...rows, ...disks].map(([, words]) => words), ...several.map(([words]) => words)]
  for (const words of all) {
    for (const { cause, evidence, remedy, code } of diagnose(await evidenceOf(words)).findings) {
      expect(cause, `${words}: ${code}`).toMatch(/^[A-Za-z0-9].*[.]$/)
      expect(evidence, `${words}: ${code}`).toMatch(/^\S.*([^.\s]|\.\.\.|30\.)$/)
      expect(remedy, `${words}: ${code}`).toMatch(
        /^(xe|wlb|for|openssl|scp|chronyc|ssh|nc|ss|ip|getent|traceroute|kill|killall|cat|sed|rm|ls|chmod|mv|cp) /,
      )
    }
  }
})

it('what is to be typed of our own can be typed', async () => {
  const commands = leaves(commandLine()).map(({ words, command }) => ({
    words: words.join(' '),
    flags: command.options.flatMap(({ long }) => long ?? []),
  }))
  for (const [, words] of [...rows, ...disks]) {
    const typed = diagnose(await evidenceOf(words)).findings.flatMap(({ remedy }) => remedy.split('; '))
    for (const line of typed.filter((one) => one.startsWith('wlb '))) {
      const command = commands.find((one) => `${line} `.startsWith(`${one.words} `))
      const unknown = (line.match(/--[a-z-]+/g) ?? []).filter((flag) => !command?.flags.includes(flag))
      expect({ line, found: command !== undefined, unknown }).toEqual({ line, found: true, unknown: [] })
    }
  }
})

it('what a remedy leaves to be filled in is said behind it', async () => {
  for (const words of [...rows, ...disks].map(([, one]) => one)) {
    for (const { code, remedy } of diagnose(await evidenceOf(words)).findings) {
      const [command = '', why = ''] = remedy.split('   # ')
      const open = /\b(USER|PASSWORD|FQDN|FILE|NAME|ROOT|OLD|LEAF|UUID)\b|\bcrl\.pem|\w+_ca\.pem/.exec(command)
      expect({ words, code, remedy, isSaid: !open || why !== '' }).toMatchObject({ isSaid: true })
    }
  }
})

const ROOT_LATER = /^wlb trust apply --goal ca root_ca\.pem --pool \S+ {3}# root_ca\.pem: the root "CN=/
const installs: readonly [words: string, remedy: RegExp][] = [
  ['intermediate installed', /^wlb trust apply --goal ca --pool \S+$/],
  ['other installed', /^wlb trust apply --goal ca --pool \S+$/],
  ['leaf installed', /^wlb trust apply --goal ca --pool \S+$/],
  ['nothing installed', /^wlb trust apply --goal ca --pool \S+$/],
  ['root not sent; other installed', ROOT_LATER],
  ['root not sent; intermediate installed', ROOT_LATER],
  [
    'self-signed; nothing installed',
    /^scp root@\S+:\/etc\/ssl\/certs\/server.pem wlb.pem; xe pool-certificate-install/,
  ],
  ['self-signed; local; nothing installed', /^wlb trust apply --goal self-signed --pool \S+$/],
]
it.each(installs)('%s: a command that can be pasted, or the root and where it is', async (words, remedy) => {
  expect(diagnose(await evidenceOf(words)).findings[0]?.remedy).toMatch(remedy)
})

const remedies: readonly [words: string, codes: string, remedy: string, cause: string][] = [
  ['local; xs2 refused', 'CONNECTION_REFUSED', 'ssh root@', 'the appliance runs, and'],
  ['xs2 refused', 'CONNECTION_REFUSED', 'ssh root@', 'xs1 and xs3 connect'],
  ['xs2 times out', 'NO_ANSWER', 'ssh root@', 'leads elsewhere there'],
  ['name unknown to xs2', 'NAME_UNKNOWN', 'ssh root@', 'do not find the address'],
  ['local; closed', 'CONNECTION_REFUSED', 'wlb status', 'The appliance runs on this machine'],
  ['stopped', 'CONNECTION_REFUSED', 'wlb serve', 'The appliance is not running'],
  [
    'started on another port',
    'CONNECTION_REFUSED',
    "sed -i 's/^port *=.*/port = 8012/' /etc/openwlb/openwlb.toml   # then end",
    'listens on port 9012, and the pool connects to port 8012',
  ],
  ['unusable settings', 'SETTINGS_UNUSABLE', 'wlb account password', 'its next start fails'],
  ['unusable settings; stopped', 'SETTINGS_UNUSABLE', 'wlb account password', 'does not start'],
  ['another port on disk', 'SETTINGS_NOT_IN_USE', "sed -i 's/^port", 'pools would still connect to the port in use'],
  ['a taken port on disk', 'PORT_TAKEN', "sed -i 's/^port", 'its next start fails: the settings on disk name a port'],
  ['somebody else at its port', 'PORT_TAKEN', 'ss -ltnp', 'does not start: another process has its port'],
  ['local; paused', 'NOT_IN_USE', '', 'gives no recommendations yet'],
  ['paused', 'NOT_IN_USE', 'wlb-enabled=true', 'Workload balancing is paused'],
  ['no advice', 'ADVICE_REFUSED', 'wlb-enabled=false', 'this version of the appliance gives none yet'],
  ['no advice yet', 'ADVICE_REFUSED', 'wlb-enabled=false', 'and the appliance gives none: VMs start'],
  ['another password on disk', 'SETTINGS_NOT_IN_USE', 'wlb account password', 'refused (row 75)'],
]
it.each(remedies)('%s: %s, %s', async (words, code, remedy, cause) => {
  const { findings } = diagnose(await evidenceOf(words))
  const [first] = findings
  expect(first?.code).toBe(code)
  expect(first?.remedy).toContain(remedy)
  expect(first?.cause).toContain(cause)
  expect(findings.map((finding) => finding.remedy).join(';')).not.toMatch(/\bkill (?!-HUP)|killall/)
})
