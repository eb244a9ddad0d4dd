/**
 * What a program imports is described where it is declared, which is what an editor shows and JSR prints: what it is, and of each member what
 * its type does not say, the default of what may be left out, the unit of a number, what a call does.
 */
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import packageFile from '../package.json' with { type: 'json' }
import { ROOT } from './runtimes/runtimes.ts'

/** The declarations of every entry, for each runtime: `dist/types` is made of these files. */
const files = [...new Set(JSON.stringify(packageFile.exports).match(/(?<=\.\/dist\/types\/)adapters\/[\w/]+(?=\.d\.ts)/g))].map((name) => `${ROOT}/${name}.ts`)
const { config } = ts.readConfigFile(`${ROOT}/tsconfig.json`, ts.sys.readFile)
const { options } = ts.convertCompilerOptionsFromJson((config as { compilerOptions: object }).compilerOptions, ROOT)
const program = ts.createProgram(files, options)
const checker = program.getTypeChecker()

/** The unit of a number is the end of its name, or it counts, or it is said. */
const HAS_UNIT = /(bytes|seconds|ms|count)$/i
/** One word, one meaning: `signal` cancels the call, as `JobOptions` says; `val` is what the component's variant says of itself. */
const SAID_ONCE = ['signal', 'val']

const exported = new Map<ts.Symbol, string>()
for (const file of files) collect(checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile) as ts.Symbol, '')
const members = [...exported].flatMap(([symbol, name]) => membersOf(symbol).map((member) => ({ member, name: `${name}.${member.name}` })))

describe('what the entries export', () => {
  it('is described, every function, class, interface, type and constant', () => {
    expect(exported.size).toBeGreaterThan(120)
    expect([...exported].filter(([symbol]) => !isDescribed(symbol)).map(([symbol, name]) => at(symbol, name))).toEqual([])
  })

  it('has members whose calls, defaults and units are said', () => {
    expect(members.length).toBeGreaterThan(300)
    expect(members.filter(({ member }) => needsWords(member) && !isDescribed(member)).map(({ member, name }) => at(member, name))).toEqual([])
  })
})

function collect(module: ts.Symbol, prefix: string): void {
  for (const each of checker.getExportsOfModule(module)) {
    const symbol = each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each
    if (exported.has(symbol)) continue
    exported.set(symbol, prefix + each.name)
    if (symbol.flags & ts.SymbolFlags.Module) collect(symbol, `${prefix + each.name}.`)
  }
}

/** Those that a program may use. */
function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  const declared = (symbol.declarations ?? []).flatMap((each) => (ts.isInterfaceDeclaration(each) || ts.isClassDeclaration(each) ? [...each.members] : []))
  const open = declared.filter((each) => !(ts.getCombinedModifierFlags(each) & ts.ModifierFlags.Private) && each.name && ts.isIdentifier(each.name))
  return open.flatMap((each) => checker.getSymbolAtLocation(each.name as ts.Identifier) ?? [])
}

function needsWords(member: ts.Symbol): boolean {
  if (SAID_ONCE.includes(member.name)) return false
  const type = checker.getNonNullableType(checker.getTypeOfSymbol(member))
  const isNumber = (type.flags & ts.TypeFlags.NumberLike) !== 0 && !HAS_UNIT.test(member.name)
  return (member.flags & ts.SymbolFlags.Optional) !== 0 || type.getCallSignatures().length > 0 || isNumber
}

function isDescribed(symbol: ts.Symbol): boolean {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).length > 0
}

function at(symbol: ts.Symbol, name: string): string {
  const [declaration] = symbol.declarations ?? []
  const file = declaration?.getSourceFile()
  const line = file ? file.getLineAndCharacterOfPosition(declaration!.getStart()).line + 1 : 0
  return `${file?.fileName.replace(`${ROOT}/`, '')}:${line} ${name}`
}
