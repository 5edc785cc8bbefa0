/** What can go wrong with a small certificate authority. */
import { join } from 'node:path'
import { defineErrors } from '../base/error.js'

const restore = ({ file }: { readonly file: unknown }) => `ls -l ${file}   # put a copy back that was kept elsewhere`

export const authorityErrors = defineErrors({
  AUTHORITY_DAMAGED: {
    message: 'A file of the authority is not what was written there.',
    facts: ['file', 'found'],
    remedy: restore,
  },
  AUTHORITY_FOLDER_OCCUPIED: {
    message: 'An authority gets a folder of its own, and something else is there already (or a disk is mounted there).',
    facts: ['folder'],
    remedy: ({ folder }) => `wlb ca create --dir ${join(String(folder), 'ca')} --passphrase-file FILE --yes`,
  },
  AUTHORITY_INDEX_DAMAGED: {
    message: 'The record of what this authority has issued cannot be read; without it nothing is signed or revoked.',
    facts: ['file', 'where', 'found'],
    remedy: restore,
  },
  AUTHORITY_MISSING: {
    message: 'There is no authority in this folder.',
    facts: ['folder'],
    remedy: ({ folder }) => `wlb ca create --dir ${folder} --passphrase-file FILE --yes`,
  },
  AUTHORITY_NAME_DIFFERS: {
    message: 'There is an authority of another name in this folder; it was not touched.',
    facts: ['folder', 'name', 'asked'],
    remedy: ({ folder }) => `wlb ca list --dir ${folder}`,
  },
  CERTIFICATE_NOT_ISSUED_HERE: {
    message: 'This authority has issued no certificate with that serial number.',
    facts: ['folder', 'serialNumber'],
    remedy: ({ folder }) => `wlb ca list --dir ${folder}`,
  },
  OUTPUT_FOLDER_MISSING: {
    message: 'The folder for the output file does not exist; nothing was signed.',
    facts: ['folder'],
    remedy: ({ folder }) => `mkdir -p ${folder}`,
  },
  OUTPUT_OCCUPIED: {
    message: 'The output file exists and holds something else; it was not touched, and nothing was signed.',
    facts: ['path', 'expected'],
    remedy: ({ path }) => `mv ${path} ${path}.before`,
  },
  USAGE_AUTHORITY: {
    message: 'An authority cannot be made with that.',
    facts: ['what', 'why'],
    remedy: 'wlb ca create --help',
  },
  USAGE_CRL_LIFETIME: {
    message: 'A revocation list is valid for 1 to 3650 days.',
    facts: ['days'],
    remedy: 'wlb ca crl --help',
  },
})
export const { fail } = authorityErrors
