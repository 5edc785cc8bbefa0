/**
 * Judges an appliance's answer more strictly than any pool would: what no pool can trip over. It knows the rules of
 * docs/protocol/wlb.md for itself and shares nothing with src/wlb, so that one mistake cannot hide the other.
 */
import { SaxesParser } from 'saxes'

export interface StrictResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | number | undefined>>
  readonly body: Uint8Array | string
}

/** What a correct answer says. */
export type StrictReply =
  /** Text of the leaves by their path below the result, in document order, such as `Recommendations/Row/Stars`. */
  | { readonly kind: 'result'; readonly leaves: readonly (readonly [path: string, text: string])[] }
  | { readonly kind: 'refused'; readonly code: number; readonly message: string }
  | { readonly kind: 'fault'; readonly text: string }

/** @throws Error naming the first rule the answer breaks. */
export function assertStrictReply(method: string, response: StrictResponse): StrictReply {
  const body = typeof response.body === 'string' ? new TextEncoder().encode(response.body) : response.body
  checkFraming(response, body)
  const root = parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  must(root.name === 'Envelope', `root is ${root.name}`)
  const content = only(child(root, 'Body'))
  if (content.name === 'Fault') {
    const code = text(child(child(content, 'Code'), 'Value'))
    must(/^[a-z]+:(Sender|Receiver)$/.test(code), `fault code ${code}`)
    return { kind: 'fault', text: text(child(child(content, 'Reason'), 'Text')) }
  }
  must(content.name === `${method}Response`, `Body holds ${content.name}`)
  const result = only(content)
  must(result.name === `${method}Result`, `${content.name} holds ${result.name}`)
  return result.children.some(({ name }) => name === 'ResultCode') ? refusal(result) : success(method, result)
}

interface Node {
  readonly name: string
  readonly children: Node[]
  text: string
}

const CODES = [5, 6, ...Array.from({ length: 24 }, (_, index) => 4000 + index)]

function checkFraming({ status, headers }: StrictResponse, body: Uint8Array): void {
  const header = (name: string) => Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  must(status === 200, `status ${status}`)
  must(String(header('content-length')) === String(body.length), `content-length ${header('content-length')}`)
  must(header('transfer-encoding') === undefined, 'transfer-encoding is set')
  must(header('content-encoding') === undefined, 'content-encoding is set')
  must(header('content-type') === 'text/xml; charset=utf-8', `content-type ${header('content-type')}`)
}

function parse(document: string): Node {
  const parser = new SaxesParser({ xmlns: true, fragment: false })
  const top: Node = { name: '', children: [], text: '' }
  const path = [top]
  const add = (piece: string) => {
    const node = path.at(-1)
    if (node) node.text += piece
  }
  parser.on('error', (error) => {
    throw error
  })
  parser.on('doctype', () => must(false, 'a document type declaration'))
  parser.on('processinginstruction', () => must(false, 'a processing instruction'))
  parser.on('opentag', (tag) => {
    must(tag.uri !== '', `${tag.name} is in no namespace`)
    const node: Node = { name: tag.local, children: [], text: '' }
    path.at(-1)?.children.push(node)
    path.push(node)
  })
  parser.on('text', add)
  parser.on('cdata', add)
  parser.on('closetag', () => {
    const node = path.pop()
    if (!node) return
    // A carriage return or a no-break space is not blank to a pool: between elements it is content.
    if (node.children.length > 0) must(/^[ \t\n]*$/.test(node.text), `${node.name} holds text beside elements`)
    else
      must(
        !/^\s+$/.test(node.text) || !/[\r\u00a0]/.test(node.text),
        `${node.name} holds a blank that is none to a pool`,
      )
  })
  parser.write(document).close()
  return only(top)
}

function refusal(result: Node): StrictReply {
  must(result.children.length === 2, `a refusal with ${result.children.map(({ name }) => name).join(', ')}`)
  const code = text(child(result, 'ResultCode'))
  must(CODES.map(String).includes(code), `result code ${code}`)
  return { kind: 'refused', code: Number(code), message: text(child(result, 'ErrorMessage')) }
}

function success(method: string, result: Node): StrictReply {
  const names = result.children.map(({ name }) => name)
  const may = (...allowed: string[]) =>
    must(
      names.every((name, index) => allowed.includes(name) && names.indexOf(name) === index),
      `${method} holds ${names}`,
    )
  switch (method) {
    case 'RemoveXenServer':
    case 'SetXenPoolConfiguration':
      may()
      must(result.text === '', 'an empty result holds text')
      break
    case 'AddXenServer':
      may('Id')
      must(/^[1-9]\d*$/.test(text(child(result, 'Id'))), 'Id is no positive integer')
      break
    case 'GetXenPoolConfiguration':
      may('OptimizationParms')
      checkDictionary(child(result, 'OptimizationParms'))
      break
    case 'VMGetRecommendations':
      may('Recommendations')
      checkPlacements(child(result, 'Recommendations').children)
      break
    case 'HostGetRecommendations':
      if (names.length === 0) break
      may('CanPlaceAllVMs', 'Recommendations')
      checkRows(child(result, 'Recommendations').children, ['HostUuid', 'VmUuid'])
      break
    case 'GetOptimizationRecommendations':
      if (names.length === 0) break
      may('OptimizationId', 'Recommendations', 'Severity')
      checkId(text(child(result, 'OptimizationId')))
      checkRows(child(result, 'Recommendations').children, ['MoveFromHostUuid', 'Reason'])
      break
    case 'ExecuteReport':
      may('XmlDataSet')
      text(child(result, 'XmlDataSet'))
      break
    case 'GetDiagnostics':
      may('DiagnosticData')
      must(text(child(result, 'DiagnosticData')) !== '', 'diagnostics are empty')
      break
    default:
      must(false, `no method ${method}`)
  }
  return { kind: 'result', leaves: [...leavesOf(result, '')] }
}

function checkDictionary(list: Node): void {
  const keys = list.children.map((row) => {
    must(row.children.length === 2, `a row with ${row.children.length} children`)
    text(child(row, 'Value'))
    return text(child(row, 'Key'))
  })
  const doubled = keys.filter((key, index) => keys.indexOf(key) !== index)
  must(doubled.length === 0, `keys twice: ${doubled}`)
}

function checkPlacements(rows: readonly Node[]): void {
  checkRows(rows, ['HostUuid', 'Stars', 'ZeroScoreReason'])
  const hosts = rows.map((row) => text(child(row, 'HostUuid')))
  must(new Set(hosts).size === hosts.length, 'a host has two rows')
  for (const row of rows) {
    const stars = text(child(row, 'Stars'))
    must(/^\d+(\.\d+)?$/.test(stars) && Number(stars) <= 5, `stars ${stars}`)
    must(Number(stars) > 0 === (text(child(row, 'ZeroScoreReason')) === 'None'), 'stars and reason disagree')
  }
}

function checkRows(rows: readonly Node[], needed: readonly string[]): void {
  const ids = rows.map((row) => text(child(row, 'RecommendationId')))
  for (const id of ids) checkId(id)
  must(new Set(ids).size === ids.length, 'a recommendation id twice')
  for (const row of rows) for (const name of needed) must(text(child(row, name)) !== '', `${name} is empty`)
}

function checkId(id: string): void {
  must(/^\d{1,10}$/.test(id) && Number(id) <= 2_147_483_647, `id ${id}`)
}

function* leavesOf(node: Node, path: string): Generator<readonly [string, string]> {
  for (const inner of node.children) {
    const here = path === '' ? inner.name : `${path}/${inner.name}`
    if (inner.children.length === 0) yield [here, inner.text]
    else yield* leavesOf(inner, here)
  }
}

function child(node: Node, name: string): Node {
  const found = node.children.filter((inner) => inner.name === name)
  const [first] = found
  if (!first || found.length > 1) throw new Error(`${node.name} holds ${name} ${found.length} times`)
  return first
}

function only(node: Node): Node {
  const [first] = node.children
  if (!first || node.children.length > 1) throw new Error(`${node.name} holds ${node.children.length} elements`)
  return first
}

function text(leaf: Node): string {
  must(leaf.children.length === 0, `${leaf.name} holds elements`)
  return leaf.text
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`strict reader: ${otherwise}`)
}
