/**
 * Steps that install and uninstall certificates and revocation lists in the store that WLB uses. The pool writes its files first and its record
 * last, so an attempt that a member cut short leaves a file that no list shows (docs/trust-stores.md).
 */
import { shell } from '../../../base/text/quote-word.js'
import type { PoolSession } from '../../../xapi/index.js'
import { fail } from '../../errors.js'
import { isFailure, isSomeHostDown, readCrlNamesNow, readInstalledNow } from './pool-state.js'
import type { OrderOf, Step, StepContext } from './step.js'

export function installStep(order: OrderOf<'install'>, context: StepContext): Step {
  const { session, allowDown } = context
  const { name, fingerprintSha256, role } = order
  return {
    id: order.id,
    order,
    title: `install the ${role === 'self-signed' ? 'self-signed certificate' : role} as ${name}`,
    command: shell`xe ${commandOf(role)} filename=${name}`,
    check: async () => {
      const installed = await readInstalledNow(session)
      if (installed.some((one) => one.fingerprintSha256 === fingerprintSha256)) return 'holds'
      return allowDown && (await isSomeHostDown(session)) ? 'unseen' : 'open'
    },
    do: () => install(order, context),
    undo: async () => {
      const named = (await readInstalledNow(session)).find((one) => one.name === name)
      if (named && named.fingerprintSha256 !== fingerprintSha256) return // replaced by another run
      await remove(session, name, named !== undefined)
    },
  }
}

export function uninstallStep(order: OrderOf<'uninstall'>, context: StepContext): Step {
  const { session } = context
  const { name, fingerprintSha256, pem } = order
  return {
    id: order.id,
    order,
    title: `uninstall ${name}`,
    command: shell`xe pool-uninstall-ca-certificate name=${name}`,
    check: async () => {
      const named = (await readInstalledNow(session)).find((one) => one.name === name)
      return named?.fingerprintSha256 === fingerprintSha256 ? 'open' : 'holds'
    },
    do: async () => remove(session, name, true),
    undo: async () => {
      const installed = await readInstalledNow(session)
      if (installed.some((one) => one.name === name && one.fingerprintSha256 === fingerprintSha256)) return
      if (pem === null) throw fail('CERTIFICATE_BYTES_UNKNOWN', { name, fingerprintSha256 })
      await install({ id: order.id, kind: 'install', name, fingerprintSha256, pem, role: 'root' }, context)
    },
  }
}

async function install(order: OrderOf<'install'>, { session, allowDown }: StepContext): Promise<void> {
  const { name, pem, fingerprintSha256, role } = order
  const call = () =>
    session.call(role === 'self-signed' ? 'pool.certificate_install' : 'pool.install_ca_certificate', name, pem)
  const orLeftBehind = (error: unknown) => {
    if (!(allowDown && isFailure(error, 'HOST_OFFLINE'))) throw error
  }
  try {
    await call()
  } catch (error) {
    if (!isFailure(error, 'CERTIFICATE_ALREADY_EXISTS')) return orLeftBehind(error)
    const installed = await readInstalledNow(session)
    if (installed.some((one) => one.fingerprintSha256 === fingerprintSha256)) return
    if (installed.some((one) => one.name === name)) throw fail('CERTIFICATE_NAME_TAKEN', { name })
    // with a host down it cannot become whole, and until it is back the file serves as it is
    if (allowDown && (await isSomeHostDown(session))) return
    await remove(session, name, false)
    await call().catch(orLeftBehind)
  }
}

/** `hasRecord` false: the file of an attempt that was cut short, whose removal the pool ends with INVALID_VALUE. */
async function remove(session: PoolSession, name: string, hasRecord: boolean): Promise<void> {
  try {
    await session.call('pool.uninstall_ca_certificate', name)
  } catch (error) {
    if (isFailure(error, 'INVALID_VALUE')) return
    if (!isFailure(error, 'CERTIFICATE_DOES_NOT_EXIST')) throw error
    // the record outlived its file: a member was down when it was uninstalled
    if (hasRecord) await session.call('pool.uninstall_ca_certificate', name, true)
  }
}

function commandOf(role: OrderOf<'install'>['role']): string {
  return role === 'self-signed' ? 'pool-certificate-install' : 'pool-install-ca-certificate'
}

export function installCrlStep(order: OrderOf<'install-crl'>, { session, allowDown }: StepContext): Step {
  const { name, pem } = order
  return {
    id: order.id,
    order,
    title: `install the revocation list as ${name}`,
    command: shell`xe pool-crl-install filename=${name}`,
    check: async () => ((await readCrlNamesNow(session)).includes(name) ? 'holds' : 'open'),
    do: async () => {
      try {
        await session.call('pool.crl_install', name, pem)
      } catch (error) {
        // the name is made of its content, so what is there is this list
        if (isFailure(error, 'CRL_ALREADY_EXISTS') || (allowDown && isFailure(error, 'HOST_OFFLINE'))) return
        throw error
      }
    },
    undo: async () => {
      if (!(await readCrlNamesNow(session)).includes(name)) return
      await session.call('pool.crl_uninstall', name)
    },
  }
}
