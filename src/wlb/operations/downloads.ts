/** The two downloads, a report and the appliance's diagnostics. Each is one text in the answer. */
import { download, type Nothing, operation, type Pair, pairs, requestOf, requiredText } from '../operation.js'

/** Has no pool uuid: the pool passes on its client's parameters unchanged. */
export interface ExecuteReportRequest {
  readonly reportName: string
  /** In the order of the client's query; names are case-insensitive. */
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

/** Every user with read access to the pool can read the diagnostics. */
export const getDiagnostics = operation(
  'GetDiagnostics',
  requestOf<Nothing>({ between: '', after: '' }, {}),
  download('DiagnosticData'),
)
