/** Public API of ssh: connections, host keys, running a command. */
export { connectSsh, type SshConnection, type SshRequest } from './connection.js'
export { type Credential, checkCredentials } from './credential.js'
export { type AskAboutHostKey, defaultKnownHosts, type HostKeyQuestion } from './host-key.js'
export { runOrFail } from './run-command.js'
export { parseSshTarget, renderSshTarget, type SshTarget } from './target.js'
