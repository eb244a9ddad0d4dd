/** A program that imports blockvault does not see which runtime it is on: the adapters' entries have the same names with the same types. */
import ts from 'typescript'
import { expect, it } from 'vitest'
import { ROOT } from './runtimes.ts'

const ADAPTERS = ['node', 'deno', 'bun']
const ENTRIES = ['index', 'cinder']
const fileOf = (adapter: string, entry: string) => `${ROOT}/adapters/${adapter}/${entry}.ts`

it('the entries of all adapters export the same', { timeout: 120_000 }, () => {
  const { config } = ts.readConfigFile(`${ROOT}/tsconfig.json`, ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson((config as { compilerOptions: object }).compilerOptions, ROOT)
  const program = ts.createProgram(
    ADAPTERS.flatMap((adapter) => ENTRIES.map((entry) => fileOf(adapter, entry))),
    options,
  )
  const checker = program.getTypeChecker()
  const exported = (path: string) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(path) as ts.SourceFile) as ts.Symbol
    return checker
      .getExportsOfModule(module)
      .map((symbol) => `${symbol.name}: ${symbol.declarations?.some(ts.isFunctionDeclaration) ? checker.typeToString(checker.getTypeOfSymbol(symbol)) : ''}`)
      .sort()
  }
  for (const entry of ENTRIES) {
    const [node, ...others] = ADAPTERS.map((adapter) => exported(fileOf(adapter, entry)))
    expect((node as string[]).length).toBeGreaterThan(20)
    for (const other of others) expect(other).toEqual(node)
  }
})
