/**
 * The commands that give an appliance another certificate over SSH (docs/ssh.md, steps): keep the old pair, write the new one
 * beside it, move both, protect the key, restart the TLS service. A journal beside the files records what undoing them needs.
 */
import type { InstallStep } from '../../identity/index.js'
import { isSamePair, type ManagedFiles, type ManagedPlace, type PairDigests, renderJournal } from './managed-files.js'

export interface ManageOrder {
  readonly place: ManagedPlace
  /** Of the pair that is to be in place. */
  readonly wanted: PairDigests
  readonly restartCommand: string
  /** Shows what is served; only printed, since the proof is made from here. */
  readonly proofCommand: string
  /** Names this attempt in the journal; a later attempt replaces it there. */
  readonly token: string
}

export interface ManageSteps {
  readonly steps: readonly InstallStep[]
  /** The pair before, which is put back when the proof fails. */
  readonly before: PairDigests
  /** What is done about an interrupted attempt; undefined when there is none. */
  readonly repair: 'nothing was moved' | 'go on' | 'put back' | 'impossible' | undefined
}

/** `isServed` says that the port shows the new certificate already. */
export function listManageSteps(seen: ManagedFiles, order: ManageOrder, isServed: boolean): ManageSteps {
  const repair = chooseRepair(seen, order.wanted)
  const before = seen.journal && repair !== 'nothing was moved' ? seen.journal.before : seen.inPlace
  const isInPlace = isSamePair(seen.inPlace, order.wanted)
  if (isInPlace && (repair === undefined || repair === 'go on')) {
    const isDone = isServed && seen.keyMode === '600' && repair === undefined
    return { steps: isDone ? [] : [note(order, before), ...serving(order, isServed)], before, repair }
  }
  const steps = [
    note(order, before),
    ...(repair === 'put back' ? [putBack(order.place, before, 'repair')] : []),
    ...backUp(order.place, seen, before),
    ...uploads(order),
    move(order.place),
    ...serving(order, false),
  ]
  return { steps, before, repair }
}

/** After a proof or a step that failed: puts the pair before back. */
export function putBack({ certificate, key }: ManagedPlace, before: PairDigests, id: 'repair' | 'move'): InstallStep {
  const one = (file: string, digest: string | undefined) =>
    digest === undefined ? `rm -f ${file}` : `cp -p ${file}_orig ${file}_new && mv -f ${file}_new ${file}`
  const what = id === 'repair' ? 'put back what an attempt that was cut off has moved away' : 'put the pair before back'
  return { id, what, command: `${one(certificate, before.certificate)} && ${one(key, before.key)}` }
}

export function finish({ certificate, key, journal }: ManagedPlace): InstallStep {
  return {
    id: 'finish',
    what: 'take the note away again',
    command: `rm -f ${certificate}_new ${key}_new ${journal}`,
  }
}

/** Decides by the journal whether the files in place are one pair: a mixed pair must not be kept as the one to go back to. */
function chooseRepair({ journal, inPlace, original }: ManagedFiles, wanted: PairDigests): ManageSteps['repair'] {
  if (!journal) return undefined
  const { before, after } = journal
  if (isSamePair(inPlace, before)) return 'nothing was moved'
  const isKept = (before.certificate ?? original.certificate) === original.certificate
  const areKept = isKept && (before.key ?? original.key) === original.key
  if (isSamePair(inPlace, after) && isSamePair(after, wanted)) return 'go on'
  const isHalf =
    [before.certificate, after.certificate].includes(inPlace.certificate) &&
    [before.key, after.key].includes(inPlace.key)
  if (!isHalf) return 'nothing was moved' // another pair was put there since
  return areKept ? 'put back' : 'impossible'
}

export function note(
  { place, wanted, token }: Pick<ManageOrder, 'place' | 'wanted' | 'token'>,
  before: PairDigests,
): InstallStep {
  const lines = renderJournal(token, { before, after: wanted }).map((line) => `'${line}'`)
  return {
    id: 'note',
    what: 'note there what is about to change: after a cut in the middle the next attempt can tell',
    command: `umask 077; printf '%s\\n' ${lines.join(' ')} > ${place.journal}.new && mv -f ${place.journal}.new ${place.journal}`,
  }
}

/** A pair that was kept by hand before is renamed, never overwritten. */
function backUp({ certificate, key }: ManagedPlace, { original, freeNumber }: ManagedFiles, before: PairDigests) {
  if (isSamePair(original, before)) return []
  const files: [file: string, now: string | undefined, kept: string | undefined][] = [
    [certificate, before.certificate, original.certificate],
    [key, before.key, original.key],
  ]
  const aside = files.flatMap(([file, , kept]) =>
    kept === undefined ? [] : [`mv ${file}_orig ${file}_orig.${freeNumber}`],
  )
  // a copy, so that there is no moment without a certificate; under another name until it is whole
  const copies = files.flatMap(([file, now]) =>
    now === undefined ? [] : [`cp -p ${file} ${file}_new && mv -f ${file}_new ${file}_orig`],
  )
  const commands = [...aside, ...copies]
  if (commands.length === 0) return []
  const what =
    aside.length > 0 ? 'set the pair kept before aside, and keep the one in place' : 'keep the pair that is in place'
  return [{ id: 'back up', what, command: `umask 077; ${commands.join(' && ')}` } satisfies InstallStep]
}

function uploads({ place: { certificate, key }, wanted }: ManageOrder): InstallStep[] {
  return [
    {
      id: 'upload certificate',
      what: 'write the certificates beside the old ones',
      command: `umask 077; rm -f ${certificate}_new; cat > ${certificate}_new`,
      reads: 'certificate',
    },
    {
      id: 'upload key',
      what: 'write the key beside the old one, readable by its owner only before it has content',
      command: `umask 077; rm -f ${key}_new; cat > ${key}_new`,
      reads: 'key',
    },
    {
      id: 'check',
      what: 'see that both have arrived whole, and on the disk',
      command: `printf '%s  %s\\n' ${wanted.certificate} ${certificate}_new ${wanted.key} ${key}_new | sha256sum -c && sync ${certificate}_new ${key}_new`,
    },
  ]
}

function move({ certificate, key }: ManagedPlace): InstallStep {
  return {
    id: 'move',
    what: 'put certificate and key in place',
    command: `mv -f ${certificate}_new ${certificate} && mv -f ${key}_new ${key}`,
  }
}

function serving({ place, restartCommand, proofCommand }: ManageOrder, isServed: boolean): InstallStep[] {
  return [
    protect(place),
    ...(isServed
      ? []
      : [
          restart(restartCommand),
          {
            id: 'prove',
            what: 'prove by a handshake that the new certificate is served, or go back to the pair before',
            command: proofCommand,
          } satisfies InstallStep,
        ]),
    finish(place),
  ]
}

export function protect({ key, certificate, folder }: ManagedPlace): InstallStep {
  return {
    id: 'protect',
    what: 'make the key readable by its owner only',
    command: `chmod 600 ${key} && chmod 644 ${certificate} && sync ${key} ${certificate} ${folder}`,
  }
}

export function restart(command: string): InstallStep {
  return { id: 'restart', what: 'restart the TLS service', command }
}
