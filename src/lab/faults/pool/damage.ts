/** Rows about files in the store that are not what they should be: no call installs them, so they are forced in. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { encodePem } from '../../../x509/index.js'
import { placesOf } from '../../host/layout.js'
import { observeServed } from './served.js'
import { layoutFor, type PoolFault, type PoolStage, targetsOf } from './stage.js'
import { changeEachFile, changeFiles, readInstalled, type StoreFile } from './store-files.js'

const shape = { scope: 'every host', parts: ['stores'] } as const
/** A block that ends in the middle of its text. */
const CUT = '-----BEGIN CERTIFICATE-----\nMIIDazCCAlOgAwIBAgIUB3Rl\n'
const BYTE_ORDER_MARK = '\uFEFF'

export const DAMAGE_FAULTS: readonly PoolFault[] = [
  { ...shape, row: 33, what: 'a file holds a whole chain instead of one certificate', inject: forceChain },
  {
    ...shape,
    row: 34,
    what: 'the files hold certificates in DER, which no bundle can be read from',
    inject: (stage) => rewrite(stage, ({ certificates }) => certificates[0]?.raw),
  },
  {
    ...shape,
    row: 35,
    what: 'the files are labelled TRUSTED CERTIFICATE, as `openssl x509 -trustout` writes them',
    inject: (stage) => rewrite(stage, ({ certificates }) => certificates[0] && trusted(certificates[0].raw)),
  },
  {
    ...shape,
    row: 36,
    what: 'the files begin with a byte order mark and have the line ends of Windows: accepted',
    inject: (stage) => rewrite(stage, ({ content }) => withMark(content.toString('utf8'))),
  },
  {
    ...shape,
    row: 37,
    what: 'the bundle begins with a block that is cut off',
    inject: (stage) => changeFiles(stage, targetsOf(stage, shape.scope), { '0-cut.pem': CUT }),
  },
  {
    ...shape,
    row: 38,
    what: 'the bundle ends with a block that is cut off',
    async inject(stage) {
      await readInstalled(stage)
      await changeFiles(stage, targetsOf(stage, shape.scope), { 'zz-cut.pem': CUT })
    },
  },
  {
    ...shape,
    row: 78,
    what: 'a folder lies among the certificates, so that no bundle can be built any more',
    inject: forceFolder,
  },
]

async function rewrite(stage: PoolStage, change: (file: StoreFile) => Buffer | string | undefined): Promise<void> {
  await readInstalled(stage)
  await changeEachFile(stage, targetsOf(stage, shape.scope), (file) => change(file) ?? file.content)
}

/** The chain as the appliance sends it, and what the file held: the mistake of copying a whole server.pem. */
async function forceChain(stage: PoolStage): Promise<void> {
  const { sent } = await observeServed(stage)
  await rewrite(stage, ({ certificates }) => {
    const missing = certificates.filter(({ raw }) => !sent.some((one) => one.raw.equals(raw)))
    const chain = [...sent, ...missing]
    const twice = chain.length === 1 ? [...chain, ...chain] : chain
    return twice.map(String).join('')
  })
}

/** CertAux is an empty sequence: nothing is said of purposes. */
function trusted(der: Buffer): string {
  return encodePem('TRUSTED CERTIFICATE', Buffer.concat([der, Buffer.from([0x30, 0x00])]))
}

function withMark(text: string): string {
  const plain = text.replace(BYTE_ORDER_MARK, '').replaceAll('\r\n', '\n')
  return BYTE_ORDER_MARK + plain.replaceAll('\n', '\r\n')
}

/** Permissions stop nobody who is root; a folder with a certificate's name stops everybody. */
async function forceFolder(stage: PoolStage): Promise<void> {
  for (const host of targetsOf(stage, shape.scope)) {
    const [place] = placesOf(layoutFor(stage, host), { store: 'LegacyRootCert' })
    if (place) await mkdir(join(place.folder, 'damaged.pem'), { recursive: true })
  }
}
