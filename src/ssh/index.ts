/** Public API of ssh: connections, host keys, running a command. */
export { connectSsh, type SshConnection, type SshRequest } from './connection.js'
export { type Credential, checkCredentials, readUsualKeys } from './credential.js'
export { type AskAboutHostKey, defaultKnownHosts, type HostKeyQuestion } from './host-key.js'
export { findRoute, parseSshTarget, type SshRoute, type SshStop } from './route.js'
export { requireSuccess, runOrFail } from './run-command.js'
export { nameHost, renderSshTarget, type SshTarget, sshCommand } from './target.js'
