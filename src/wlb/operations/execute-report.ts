/** A report: a data set as text within the answer. The pool adds no uuid of its own to what its client asked for. */
import { pairs, requestOf, requiredText } from '../arguments.js'
import { operation } from '../operation.js'
import type { Pair } from '../pairs.js'
import { download } from '../result-shapes.js'

export interface ExecuteReportRequest {
  readonly reportName: string
  /** In the order of the client's query; names compare without regard to case. */
  readonly parameters: readonly Pair[]
}

export const executeReport = operation(
  'ExecuteReport',
  requestOf<ExecuteReportRequest>(
    { between: '\n', after: '' },
    {
      reportName: requiredText('ReportName'),
      parameters: pairs({
        local: 'ReportParms',
        declaration: '',
        prefix: '',
        row: 'ReportParameter',
        key: 'ParameterName',
        value: 'ParameterValue',
        empty: 'one tag',
      }),
    },
  ),
  download('XmlDataSet'),
)
