/** How one part of a host calls XenAPI on the coordinator: a session is already bound, failures arrive as `ApiFailure`. */
import type { ApiValue } from '../../xapi/index.js'

export type Rpc = (method: string, ...params: ApiValue[]) => Promise<ApiValue>
