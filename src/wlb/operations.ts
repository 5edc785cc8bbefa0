/** The nine operations a pool calls, with the request and result type of each. */
import type { Nothing, Operation } from './operation.js'
import { type ExecuteReportRequest, executeReport, getDiagnostics } from './operations/downloads.js'
import {
  type GetOptimizationRecommendationsRequest,
  type GetOptimizationRecommendationsResult,
  getOptimizationRecommendations,
  type HostGetRecommendationsRequest,
  type HostGetRecommendationsResult,
  hostGetRecommendations,
  type VmGetRecommendationsRequest,
  type VmGetRecommendationsResult,
  vmGetRecommendations,
} from './operations/recommendations.js'
import {
  type AddXenServerRequest,
  type AddXenServerResult,
  addXenServer,
  type GetXenPoolConfigurationRequest,
  type GetXenPoolConfigurationResult,
  getXenPoolConfiguration,
  type RemoveXenServerRequest,
  removeXenServer,
  type SetXenPoolConfigurationRequest,
  setXenPoolConfiguration,
} from './operations/registration.js'

interface Requests {
  readonly AddXenServer: AddXenServerRequest
  readonly RemoveXenServer: RemoveXenServerRequest
  readonly SetXenPoolConfiguration: SetXenPoolConfigurationRequest
  readonly GetXenPoolConfiguration: GetXenPoolConfigurationRequest
  readonly VMGetRecommendations: VmGetRecommendationsRequest
  readonly HostGetRecommendations: HostGetRecommendationsRequest
  readonly GetOptimizationRecommendations: GetOptimizationRecommendationsRequest
  readonly ExecuteReport: ExecuteReportRequest
  readonly GetDiagnostics: Nothing
}

interface Results {
  readonly AddXenServer: AddXenServerResult
  readonly RemoveXenServer: Nothing
  readonly SetXenPoolConfiguration: Nothing
  readonly GetXenPoolConfiguration: GetXenPoolConfigurationResult
  readonly VMGetRecommendations: VmGetRecommendationsResult
  readonly HostGetRecommendations: HostGetRecommendationsResult
  readonly GetOptimizationRecommendations: GetOptimizationRecommendationsResult
  readonly ExecuteReport: { readonly text: string }
  readonly GetDiagnostics: { readonly text: string }
}

export type MethodName = keyof Requests
export type RequestOf<Method extends MethodName> = Requests[Method]
export type ResultOf<Method extends MethodName> = Results[Method]

/** A call of a pool. */
export type WlbCall = {
  [Method in MethodName]: { readonly method: Method; readonly request: Requests[Method] }
}[MethodName]

/** An appliance's answer to a call that succeeded. */
export type WlbReply = {
  [Method in MethodName]: { readonly method: Method; readonly result: Results[Method] }
}[MethodName]

export const OPERATIONS: { readonly [Method in MethodName]: Operation<Method, Requests[Method], Results[Method]> } = {
  AddXenServer: addXenServer,
  RemoveXenServer: removeXenServer,
  SetXenPoolConfiguration: setXenPoolConfiguration,
  GetXenPoolConfiguration: getXenPoolConfiguration,
  VMGetRecommendations: vmGetRecommendations,
  HostGetRecommendations: hostGetRecommendations,
  GetOptimizationRecommendations: getOptimizationRecommendations,
  ExecuteReport: executeReport,
  GetDiagnostics: getDiagnostics,
}
