/** What can be wrong with files, folders and documents, whatever they are for. */
import { dirname } from 'node:path'
import { defineErrors } from './error.js'

const folderOf = (path: unknown) => dirname(String(path))

export const baseErrors = defineErrors({
  DIRECTORY_IN_USE: {
    message:
      'Another process is using this directory, and two would destroy what is in it. Wait until it has ended, or stop it the way it was started.',
    facts: ['directory', 'pid?', 'program?', 'since?'],
    remedy: 'wlb status',
  },
  DISK_FAULTY: {
    message: 'The disk or its file system reports a fault.',
    facts: ['path'],
    remedy: 'dmesg | tail',
  },
  DISK_FULL: {
    message: 'There is no space left for this file; what was there before is unchanged.',
    facts: ['path'],
    remedy: ({ path }) => `df -h ${folderOf(path)}`,
  },
  FILE_MISSING: {
    message: 'There is no such file.',
    facts: ['file'],
    remedy: ({ file }) => `ls -l ${file}`,
  },
  FILE_TOO_LARGE: {
    message: 'No file of certificates is that large.',
    facts: ['file', 'bytes', 'limit'],
    remedy: ({ file }) => `ls -l ${file}`,
  },
  FOLDER_IMPOSSIBLE: {
    message: 'The file system there takes no folders.',
    facts: ['path'],
    remedy: ({ path }) => `df -T ${folderOf(path)}`,
  },
  LOCK_FILE_UNUSABLE: {
    message: 'The lock file of this directory was not made by its owner; nothing was changed.',
    facts: ['path', 'found'],
    remedy: ({ path }) => `ls -l ${path}`,
  },
  LOCK_IMPOSSIBLE: {
    message: 'The file system there gives no locks.',
    facts: ['path', 'reason'],
    remedy: ({ path }) => `df -T ${folderOf(path)}`,
  },
  LOCK_PROGRAM_MISSING: {
    message: 'A program that takes locks is missing; the package util-linux has it.',
    facts: ['program'],
    remedy: 'apt-get install util-linux',
  },
  PATH_NOT_PERMITTED: {
    message: 'This user may not read or write there; nothing was changed.',
    facts: ['path', 'systemError'],
    remedy: ({ path }) => `ls -ld ${path} ${folderOf(path)}`,
  },
  PATH_OCCUPIED: {
    message: 'Something else is in the way: a file where a folder belongs, or a folder where a file belongs.',
    facts: ['path', 'systemError'],
    remedy: ({ path }) => `ls -ld ${path}`,
  },
  XML_FORBIDDEN: {
    message: 'The document holds something that no message needs.',
    facts: ['found', 'line'],
    remedy: 'xmllint --noout FILE',
  },
  XML_MALFORMED: {
    message: 'The document is not well-formed XML.',
    facts: ['reason', 'line?'],
    remedy: 'xmllint --noout FILE',
  },
})
export const { fail } = baseErrors
