/**
 * The oldest versions of the runtimes that blockvault runs on, as `engines` in package.json has them. Node 20.3 lacks `Symbol.asyncDispose`, by
 * which `await using` closes what was opened. Imports nothing: the command's first file asks here before it loads what an
 * older runtime can not read.
 */
const NEEDED = { Node: '20.4.0', Deno: '2.4.0', Bun: '1.2.0' } as const

/** What to tell the user, or `undefined` when the version will do. A version that is none is not judged. */
export function tooOld(runtime: keyof typeof NEEDED, version: string): string | undefined {
  const numbers = (text: string) => text.split('-')[0]!.split('.').map(Number)
  const [needed, given] = [numbers(NEEDED[runtime]), numbers(version)]
  if (given.length < needed.length || given.some(Number.isNaN)) return undefined
  const differs = needed.findIndex((number, place) => number !== given[place])
  if (differs < 0 || !(given[differs]! < needed[differs]!)) return undefined
  return `blockvault needs ${runtime} ${NEEDED[runtime]} or newer, and this is ${version}: update it.`
}
