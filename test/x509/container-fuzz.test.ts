/**
 * Whatever bytes come: an answer or a WlbError, within a second and 200 MB. A few hundred cases here; the long run is
 * `FUZZ_RUNS=100000 npx vitest run test/x509/container-fuzz.test.ts` (FUZZ_SEED for another one), which says how it went.
 */
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { readElements, readTime } from '../../src/x509/encoding/der.js'
import {
  decodeSingleCertificate,
  loadBundle,
  readContainers,
  readPemBlocks,
  readPrivateKey,
} from '../../src/x509/index.js'
import { readCrls } from '../../src/x509/validate/crl.js'
import { requirePart } from '../real-parts.js'
import { makeChainFiles, makeOpensslFolder, type OpensslFolder } from './container-files.js'
import { issueAuthority, issueCrl } from './test-authority.js'

const RUNS = Number(process.env.FUZZ_RUNS ?? 300)
const SEED = Number(process.env.FUZZ_SEED ?? 20261125)
const SECOND_MS = 1000
const MEMORY_BYTES = 200 * 1024 * 1024
const PASSWORD = 'pw'

const readers: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  readContainers: (bytes) =>
    readContainers([{ file: 'fuzz', bytes }], PASSWORD).keys.map(({ key }) => key.open(PASSWORD)),
  readPrivateKey: (bytes) => readPrivateKey(bytes, PASSWORD),
  readCrls,
  readPemBlocks: (bytes) => readPemBlocks(bytes.toString('latin1')),
  loadBundle,
  readElements: (bytes) => readElements(bytes)?.map(readTime),
  decodeSingleCertificate: (bytes) => decodeSingleCertificate(bytes.toString('latin1')),
}

/** What is put in: pieces that mean something to one reader or another. */
const PIECES = [
  '-----BEGIN CERTIFICATE-----\n',
  '-----END CERTIFICATE-----',
  '-----BEGIN X509 CRL-----\n',
  '-----BEGIN PKCS7-----\n',
  '-----',
  'Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\n',
  '\r\n',
  '\n\n',
  '\uFEFF',
  '====',
].map((piece) => Buffer.from(piece))
const BYTES = [
  '3080',
  '0000',
  '2480',
  'a080',
  '3084ffffffff',
  '30840fffffff',
  '02020000',
  '0204ffffffff',
  '1f8100',
  '0500',
  '00',
].map((hex) => Buffer.from(hex, 'hex'))

const piece = fc.oneof(
  fc.constantFrom(...PIECES, ...BYTES),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
)
/** Places are fractions, so that they mean something in a file of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true })
const change = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('set' as const),
    at: place,
    byte: fc.constantFrom(0, 1, 0x7f, 0x80, 0x84, 0xff, 0x30, 0x31, 0xa0),
  }),
  fc.record({ kind: fc.constant('insert' as const), at: place, piece, times: fc.constantFrom(1, 1, 1, 2, 50, 3000) }),
  fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.nat(400) }),
  fc.record({ kind: fc.constant('repeat' as const), at: place, length: fc.nat(400), times: fc.nat(20) }),
  fc.record({ kind: fc.constant('end' as const), at: place }),
  fc.record({ kind: fc.constant('head' as const), at: fc.nat(60), byte: fc.nat(255) }),
)
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never

function apply(bytes: Buffer, step: Change): Buffer {
  const at = step.kind === 'head' ? Math.min(step.at, bytes.length) : Math.floor(step.at * bytes.length)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (step.kind) {
    case 'flip':
      return Buffer.concat([before, Buffer.of((after[0] ?? 0) ^ (1 << step.bit)), after.subarray(1)])
    case 'set':
    case 'head':
      return Buffer.concat([before, Buffer.of(step.byte), after.subarray(1)])
    case 'insert':
      return Buffer.concat([before, ...Array.from({ length: step.times }, () => step.piece), after])
    case 'cut':
      return Buffer.concat([before, after.subarray(step.length)])
    case 'repeat':
      return Buffer.concat([before, ...Array.from({ length: step.times }, () => after.subarray(0, step.length)), after])
    case 'end':
      return before
  }
}

describe.skipIf(!requirePart('openssl'))('bytes of any kind', () => {
  const files = makeOpensslFolder()
  afterAll(() => files.remove())
  const samples = makeSamples(files)

  test(`${RUNS} damaged files and random ones`, { timeout: 60_000 + RUNS * 100 }, async () => {
    samples.push({ name: 'CRL', bytes: Buffer.from(await issueCrl(await issueAuthority({ subject: 'Example Root' }))) })
    const damaged = fc.record({
      sample: fc.nat(samples.length - 1),
      changes: fc.oneof({ weight: 2, arbitrary: fc.tuple(change) }, fc.array(change, { maxLength: 4 })),
      form: fc.constantFrom(...FORMS),
    })
    const random = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes))
    const bytes = fc.oneof({ weight: 9, arbitrary: damaged.map(damage) }, { weight: 1, arbitrary: random })
    const slowest = { ms: 0, reader: '', bytes: 0 }
    const outcomes = new Map<string, number>()
    const [before, began] = [process.memoryUsage.rss(), performance.now()]
    let peak = before

    const law = fc.property(bytes, (given) => {
      for (const [reader, read] of Object.entries(readers)) {
        const start = process.cpuUsage()
        const outcome = outcomeOf(() => read(given))
        const { user, system } = process.cpuUsage(start) // the processor's time: others may be at work too
        const ms = (user + system) / 1000
        if (ms > slowest.ms) Object.assign(slowest, { ms, reader, bytes: given.length })
        expect(ms, reader).toBeLessThan(SECOND_MS)
        outcomes.set(`${reader} ${outcome}`, (outcomes.get(`${reader} ${outcome}`) ?? 0) + 1)
      }
      peak = Math.max(peak, process.memoryUsage.rss())
    })
    fc.assert(law, { numRuns: RUNS, seed: SEED })
    expect(peak - before).toBeLessThan(MEMORY_BYTES)
    if (process.env.FUZZ_RUNS) {
      const seconds = ((performance.now() - began) / 1000).toFixed(0)
      const memory = `${Math.round((peak - before) / 1024 / 1024)} MB more than ${Math.round(before / 1024 / 1024)}`
      console.log(
        `${RUNS} cases, ${seconds} s; slowest ${slowest.ms.toFixed(0)} ms (${slowest.reader}, ${slowest.bytes} bytes); ${memory}`,
      )
      console.log(
        [...outcomes]
          .sort()
          .map(([what, count]) => `${String(count).padStart(8)} ${what}`)
          .join('\n'),
      )
    }
  })

  function damage({ sample, changes, form }: { sample: number; changes: readonly Change[]; form: Form }): Buffer {
    const whole = samples[sample]?.bytes ?? Buffer.alloc(0)
    return wear(changes.reduce(apply, whole), form, whole[0] === 0x30)
  }
})

const FORMS = ['as it is', 'CERTIFICATE', 'PKCS7', 'base64'] as const
type Form = (typeof FORMS)[number]

/** DER comes plain, under a label or in bare base64; a text comes as it is or as Windows saves it. */
function wear(bytes: Buffer, form: Form, isDer: boolean): Buffer {
  if (form === 'as it is') return bytes
  if (!isDer) return form === 'base64' ? Buffer.from(`\uFEFF${bytes.toString('latin1')}`, 'utf16le') : bytes
  const base64 = bytes.toString('base64').replace(/.{64}/g, '$&\n')
  return Buffer.from(form === 'base64' ? base64 : `-----BEGIN ${form}-----\n${base64}\n-----END ${form}-----\n`)
}

function makeSamples(files: OpensslFolder): { name: string; bytes: Buffer }[] {
  makeChainFiles(files)
  const export12 = 'pkcs12 -export -in leaf.pem -inkey leaf.key -certfile root.pem -passout pass:pw'
  const commands: Readonly<Record<string, string>> = {
    PEM: 'x509 -in leaf.pem',
    DER: 'x509 -in leaf.pem -outform DER',
    TRUSTED: 'x509 -in leaf.pem -trustout -addtrust serverAuth',
    request: 'req -in csr -outform DER',
    'PKCS#7': 'crl2pkcs7 -nocrl -certfile both.pem -outform DER',
    'PKCS#7, BER': 'cms -sign -in csr -signer leaf.pem -inkey leaf.key -nodetach -stream -outform DER -binary',
    'PKCS#12': `${export12} -iter 10`,
    'PKCS#12 of 2010': `${export12} -iter 10 -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1`,
    'PKCS#12 without a MAC': `${export12} -iter 10 -nomac -certpbe AES-256-CBC`,
    'PKCS#12, open': `${export12} -keypbe NONE -certpbe NONE -nomac`,
    'PKCS#8': 'pkey -in leaf.key -outform DER',
    'PKCS#8, sealed': 'pkcs8 -topk8 -in leaf.key -passout pass:pw -iter 10 -outform DER',
    'PKCS#8, scrypt': 'pkcs8 -topk8 -in leaf.key -passout pass:pw -scrypt -scrypt_N 16 -outform DER',
    'traditional, sealed': 'rsa -in leaf.key -traditional -des3 -passout pass:pw',
    'traditional DER': 'rsa -in leaf.key -traditional -outform DER',
  }
  const made = Object.entries(commands).map(([name, command]) => ({ name, bytes: files.openssl(command) }))
  return [...made, { name: 'bundle', bytes: Buffer.concat([files.read('both.pem'), files.read('both.pem')]) }]
}

function outcomeOf(work: () => unknown): string {
  try {
    work()
    return 'answered'
  } catch (error) {
    if (error instanceof WlbError) return error.code
    throw error
  }
}
