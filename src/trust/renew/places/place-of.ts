/** Where the certificate of an order lives, for whoever carries it out, goes on with it, or takes it back. */
import { parseSshTarget } from '../../../ssh/index.js'
import type { SshReach } from '../../remote/replace-over-ssh.js'
import { placeHere } from './here.js'
import { placeOverSsh } from './over-ssh.js'
import type { IdentityOrder, IdentityPlace } from './place.js'

export function placeOf({ root, over }: IdentityOrder, reach: SshReach | undefined): IdentityPlace {
  if (!over) return placeHere(root)
  if (!reach) throw new Error('an appliance elsewhere is reached by whoever was told how')
  const restartCommand = reach.restartCommand ?? over.restartCommand
  return placeOverSsh({ target: parseSshTarget(over.target), root, restartCommand }, reach)
}
