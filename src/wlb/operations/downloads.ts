/** The two downloads: a report and the appliance's diagnostics, each one text within the answer. */
import { download, type Nothing, operation, type Pair, pairs, requestOf, requiredText } from '../operation.js'

/** The pool adds no uuid of its own to what its client asked for. */
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

/** Any user who may read the pool may read it. */
export const getDiagnostics = operation(
  'GetDiagnostics',
  requestOf<Nothing>({ between: '', after: '' }, {}),
  download('DiagnosticData'),
)
