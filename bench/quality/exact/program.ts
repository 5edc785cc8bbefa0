/** A mixed integer program while it is written down, column by column and row by row, and its solution by HiGHS. */
import { createRequire } from 'node:module'
import type { Highs, ModelData } from 'highs'

export interface Column {
  readonly cost: number
  readonly upper: number
  readonly isInteger: boolean
}

export interface Row {
  readonly lower: number
  readonly upper: number
  readonly entries: readonly (readonly [column: number, factor: number])[]
}

export interface Program {
  readonly columns: Column[]
  readonly rows: Row[]
}

export interface Solution {
  /** [column] */
  readonly values: Float64Array
  readonly cost: number
  /** No solution costs less. */
  readonly bound: number
}

/** The package's types describe its CommonJS file, and Node would import the other one. */
const load: typeof import('highs')['default'] = createRequire(import.meta.url)('highs')

export function loadSolver(): Promise<Highs> {
  return load()
}

/** Minimises; `values` is a solution to begin with. Stops at a cost at most `gap` (a share) above the optimum, or when time is up. */
export function solve(
  highs: Highs,
  program: Program,
  values: Float64Array,
  limits: { readonly gap: number; readonly seconds: number },
): Solution {
  return highs.withModel(modelOf(program), (model) => {
    model.options.set({ output_flag: false, mip_rel_gap: limits.gap, time_limit: limits.seconds })
    model.setSolution({ colValue: values })
    model.run()
    return {
      values: model.getSolution().colValue,
      cost: model.getObjectiveValue(),
      bound: Number(model.info.get('mip_dual_bound')),
    }
  })
}

function modelOf({ columns, rows }: Program): ModelData {
  const starts = [0]
  for (const { entries } of rows) starts.push((starts.at(-1) ?? 0) + entries.length)
  return {
    numCols: columns.length,
    numRows: rows.length,
    colCost: columns.map(({ cost }) => cost),
    colLower: columns.map(() => 0),
    colUpper: columns.map(({ upper }) => upper),
    integrality: Int32Array.from(columns, ({ isInteger }) => Number(isInteger)),
    rowLower: rows.map(({ lower }) => lower),
    rowUpper: rows.map(({ upper }) => upper),
    matrix: {
      format: 'csr',
      numRows: rows.length,
      numCols: columns.length,
      starts,
      indices: rows.flatMap(({ entries }) => entries.map(([column]) => column)),
      values: rows.flatMap(({ entries }) => entries.map(([, factor]) => factor)),
    },
  }
}
