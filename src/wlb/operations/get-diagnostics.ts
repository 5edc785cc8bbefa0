/** The appliance's own account of itself, as text; whoever may read the pool may read it. */
import { requestOf } from '../arguments.js'
import { operation } from '../operation.js'
import { download, type Nothing } from '../result-shapes.js'

export const getDiagnostics = operation(
  'GetDiagnostics',
  requestOf<Nothing>({ between: '', after: '' }, {}),
  download('DiagnosticData'),
)
