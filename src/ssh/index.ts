/** Public API of ssh: connections, host keys, running a command. */
export { connectSsh, parseSshTarget, type SshConnection, type SshRequest } from './connection.js'
export { type Credential, checkCredentials } from './credential.js'
export { type AskAboutHostKey, defaultKnownHosts, type HostKeyQuestion } from './host-key.js'
export { requireSuccess, runOrFail } from './run-command.js'
export { renderSshTarget, type SshTarget, sshCommand } from './target.js'
