/** The steps of putting a pair in place, with the commands an operator would have typed. */
import { paths } from '../config/paths.js'

export interface ReplaceStep {
  readonly what: string
  /** By hand; here all of it is done at once. */
  readonly command: string
}

/** `from` are the files the pair comes from. */
export function replaceSteps(root: string, from: { certificate: string; key: string }): readonly ReplaceStep[] {
  const { certificate, key, originalCertificate, originalKey } = paths(root)
  const isOriginal = from.certificate === originalCertificate
  const aside = isOriginal ? { certificate: 'server.pem.before', key: 'server.key.before' } : undefined
  return [
    {
      what: 'keep the pair before, here and in the history',
      command: aside
        ? `mv ${certificate} ${aside.certificate}; mv ${key} ${aside.key}`
        : `mv ${certificate} ${originalCertificate}; mv ${key} ${originalKey}`,
    },
    {
      what: 'put certificate and key in place, both or neither, the key for its owner alone',
      command: aside
        ? `mv ${from.certificate} ${certificate}; mv ${from.key} ${key}; mv ${aside.certificate} ${originalCertificate}; mv ${aside.key} ${originalKey}; chmod 600 ${key}`
        : `cp ${from.certificate} ${certificate}; cp ${from.key} ${key}; chmod 600 ${key}`,
    },
    {
      what: 'serve it from the next handshake on, prove that by a handshake, or go back to the pair before',
      command: 'killall stunnel; stunnel',
    },
  ]
}
