/** The samples of docs/edge.md as they stand there, compiled by esbuild. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

/** The TypeScript below a heading. */
export function sample(heading: string): string {
  const text = readFileSync(fileURLToPath(new URL('../../../docs/edge.md', import.meta.url)), 'utf8')
  const [, section = ''] = text.split(`\n## ${heading}\n`)
  const [, code] = /```ts\n([\s\S]*?)```/.exec(section.split('\n## ')[0] as string) ?? []
  if (code === undefined) throw new Error(`docs/edge.md has no code under ${heading}`)
  return code
}

export async function compiledSample(heading: string): Promise<string> {
  return (await transform(sample(heading), { loader: 'ts', target: 'es2022' })).code
}
