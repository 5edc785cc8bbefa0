/** Writes configurations for ever and says which one has been acknowledged; the test kills it. */
import { openStore } from '../../src/store/index.js'

const [directory = '', uuid = '', from = '0'] = process.argv.slice(2)
const { pools } = await openStore({ kind: 'embedded', directory })
for (let count = Number(from); ; count++) {
  const registration = {
    uuid,
    address: '192.0.2.10',
    plainPort: 80,
    coordinatorAddress: '192.0.2.10',
    userName: 'root',
  }
  const sealedPassword = Buffer.from(String(count))
  await pools.save({ ...registration, sealedPassword, hostUuids: [], pins: [] }, new Date(0))
  await pools.replaceConfiguration(uuid, new Map([['count', String(count)]]))
  process.stdout.write(`${count}\n`)
}
