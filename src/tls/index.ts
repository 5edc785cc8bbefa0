/** Public API of tls: what a handshake says, seen from a pool, from us, and from the appliance that listens. */

export { dialAsPool } from './dial.js'
export { type EndpointFacts, observeEndpoint } from './endpoint.js'
export { checkIdentity, type ServedIdentity } from './identity-check.js'
export type { CheckFinding, CheckQuestion, Judgement } from './judgement.js'
export { MOST_ROOM, PHASE_LIMITS_MS, SPARE_DESCRIPTORS } from './listener/connections.js'
export { reachable, startTlsListener, type TlsListener } from './listener/listener.js'
export type { Obstacle } from './obstacles.js'
export { connectPinned, type Trust } from './pinned.js'
export { type AnsweredFacts, checkAsPool, type PoolQuestion, type PoolVerdict } from './pool-check.js'
export { floatText, POOL_TLS, type PoolDial, poolErrorOf, type TlsFailure } from './pool-client.js'
export { probeServed } from './probe.js'
export { scanStunnelLog, stunnelConfiguration } from './stunnel.js'
