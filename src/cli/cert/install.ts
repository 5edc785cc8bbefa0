/** `wlb cert install`: an authority's files become the appliance's identity, or it is said what is wrong with them. */
import {
  type InstallPlan,
  type InstallRequest,
  type InstallStep,
  installCertificate,
  installSteps,
  planInstallation,
  type Replacement,
} from '../../appliance/index.js'
import { WlbError } from '../../error.js'
import { type CertificateSummary, describeCertificate, sendingOrder } from '../../x509/index.js'
import { daysFrom, EXIT, inRoot, printJson, quote, renderFacts } from '../print.js'
import { readSecretFile } from '../secret-file.js'

export interface InstallFlags {
  readonly key?: string
  readonly passphraseFile?: string
  readonly name?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

/**
 * @throws USAGE_NEEDS_YES when there is nobody to ask, and what planning and installing throw.
 */
export async function certInstall(root: string, files: readonly string[], flags: InstallFlags): Promise<void> {
  const now = new Date()
  const passphrase = flags.passphraseFile === undefined ? undefined : await readSecretFile(flags.passphraseFile)
  const request: InstallRequest = {
    root,
    files,
    now,
    ...(flags.key !== undefined && { keyFile: flags.key }),
    ...(passphrase !== undefined && { passphrase }),
    ...(flags.name !== undefined && { name: flags.name }),
  }
  const plan = await planWithPassphrase(request)
  const steps = installSteps(root, plan)
  const screen = flags.json ? process.stderr : process.stdout
  screen.write(`${describePlan(plan, steps, now)}\n`)
  if (flags.dryRun) {
    if (flags.json) printJson(documentOf(plan, steps, undefined))
    return
  }
  if (!plan.isInPlace && !flags.yes && !(await isSure(plan))) {
    process.stderr.write('wlb: nothing was changed\n')
    process.exitCode = EXIT.interrupted
    return
  }
  const done = await installCertificate(root, plan, {
    now,
    onStep: (step) => void process.stderr.write(`${step} ...\n`),
  })
  if (flags.json) printJson(documentOf(plan, steps, done))
  else process.stdout.write(`${describeDone(root, plan, done)}\n`)
}

/** An encrypted key or PKCS#12 asks for its passphrase, where there is somebody to type it. */
async function planWithPassphrase(request: InstallRequest): Promise<InstallPlan> {
  try {
    return await planInstallation(request)
  } catch (error) {
    const isLocked = error instanceof WlbError && /^(KEY_PASSPHRASE|PKCS12_PASSWORD)_NEEDED$/.test(error.code)
    if (!isLocked || !process.stdin.isTTY) throw error
    const { isCancel, password } = await import('@clack/prompts')
    const passphrase = await password({ message: error.message })
    if (isCancel(passphrase)) throw error
    return planInstallation({ ...request, passphrase })
  }
}

async function isSure({ name }: InstallPlan): Promise<boolean> {
  if (!process.stdin.isTTY) throw needsYes()
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message: `Install this certificate for ${name}?` })) === true
}

function describePlan(plan: InstallPlan, steps: readonly InstallStep[], now: Date): string {
  const served = sendingOrder(plan.chain).map(describeCertificate)
  const roles = served.map((_, index) => roleOf(plan, index))
  const { source, file } = plan.key
  const facts: [string, string][] = [
    ...served.map((summary, index): [string, string] => [roles[index] ?? '', describeOne(summary, now)]),
    ['private key', `${file} (${source})`],
    ['a pool says', `accepted, by the name ${plan.name}, once ${whatMustBeInstalled(plan)} is installed in it`],
  ]
  const remarks = [
    ...plan.notes,
    ...plan.borrowed.map(
      (certificate) => `${describeCertificate(certificate).subject}: not given, taken from the certificate in place`,
    ),
    ...plan.chain.unrelated.map(
      (certificate) => `${describeCertificate(certificate).subject}: left out, not on the way up from the leaf`,
    ),
    ...(plan.chain.missingIssuer === undefined
      ? []
      : [
          `the root, "${plan.chain.missingIssuer}", was not given: nothing above the last certificate could be checked`,
        ]),
  ]
  return [
    renderFacts(facts),
    ...(remarks.length > 0 ? ['', ...remarks.map((remark) => `Note: ${remark}`)] : []),
    '',
    ...(plan.isInPlace ? ['This pair is in place already.'] : steps.flatMap(describeStep)),
  ].join('\n')
}

function roleOf({ chain }: InstallPlan, index: number): string {
  if (index === 0) return 'leaf'
  return chain.root && index > chain.intermediates.length ? 'root' : 'intermediate'
}

function describeOne({ subject, notAfter }: CertificateSummary, now: Date): string {
  return `${subject}, until ${notAfter.toISOString()} (${daysFrom(now, notAfter)})`
}

function whatMustBeInstalled({ chain }: InstallPlan): string {
  return chain.missingIssuer ?? describeCertificate(chain.root ?? chain.leaf).subject
}

function describeStep({ what, command }: InstallStep, index: number): string[] {
  return [`${String(index + 1).padStart(2)}. ${what}`, `    # ${command}`]
}

function describeDone(root: string, plan: InstallPlan, { installed, activation }: Replacement): string {
  const proved = activation.state === 'proved'
  const served = proved
    ? activation.proofs.map(
        ({ who, address, port }) => `by the ${who} on ${address} port ${port}, proved by a handshake`,
      )
    : ['not yet: nothing is running here']
  return [
    '',
    installed.state === 'already so' ? 'Already so; nothing was changed.' : 'Installed.',
    renderFacts([
      ['SHA-256', activation.fingerprintSha256],
      ...served.map((text): [string, string] => ['served', text]),
      ['history', installed.id],
      ['undo', inRoot('wlb cert rollback', root)],
    ]),
    '',
    ...(proved ? [] : [`Start it:  wlb --root ${quote(root)} serve`]),
    ...nextOnThePool(plan),
  ].join('\n')
}

/** What a pool must be told before it verifies this chain. */
function nextOnThePool({ chain }: InstallPlan): string[] {
  const issuers = [
    ...(chain.root ? ['root_ca.pem'] : []),
    ...chain.intermediates.map((_, index) =>
      index === 0 ? 'intermediate_ca.pem' : `intermediate_ca_${index + 1}.pem`,
    ),
  ]
  return [
    "Next, on the pool's coordinator:",
    ...issuers.map((file) => `  xe pool-install-ca-certificate filename=${file}`),
    '  xe pool-certificate-sync',
  ]
}

function documentOf(plan: InstallPlan, steps: readonly InstallStep[], done: Replacement | undefined) {
  const { chain, verdict, key } = plan
  return {
    state: done?.installed.state ?? (plan.isInPlace ? 'already so' : 'planned'),
    name: plan.name,
    identity: describeCertificate(chain.leaf),
    chain: sendingOrder(chain).map(describeCertificate),
    missingIssuer: chain.missingIssuer ?? null,
    unrelated: chain.unrelated.map((certificate) => describeCertificate(certificate).subject),
    key: { source: key.source, file: key.file },
    verdict: { accepted: verdict.accepted, reason: verdict.reason },
    notes: plan.notes,
    steps: steps.map((step) => ({ ...step, state: done ? 'done' : 'planned' })),
    ...(done && { id: done.installed.id, activation: done.activation }),
  }
}

function needsYes(): WlbError {
  return new WlbError(
    'USAGE_NEEDS_YES',
    'There is nobody to ask here whether it is meant.',
    { missing: '--yes' },
    'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem --yes',
  )
}
