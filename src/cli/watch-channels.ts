/** From options to the channels that are told: the same for the command and for the settings of an appliance. */
import { type Channel, letterbox, webhook } from '../trust/index.js'
import type { WlbAddress } from '../xapi/index.js'

export interface ChannelFlags {
  readonly webhook?: string
  readonly mailTo?: string
  readonly mailFrom?: string
  readonly smtp?: WlbAddress
}

/** @throws USAGE_WEBHOOK */
export function openChannels({ webhook: url, mailTo, mailFrom, smtp }: ChannelFlags): readonly Channel[] {
  return [
    ...(url === undefined ? [] : [webhook(url)]),
    ...(mailTo === undefined
      ? []
      : [letterbox({ to: mailTo, from: mailFrom ?? mailTo, smtp: smtp ?? { host: '127.0.0.1', port: 25 } })]),
  ]
}
