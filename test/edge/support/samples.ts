/** The samples of the documents as they stand there, and those of docs/edge.md compiled by esbuild. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

/** The TypeScript below a heading. */
export function sample(heading: string, document = 'docs/edge.md'): string {
  const text = readFileSync(fileURLToPath(new URL(`../../../${document}`, import.meta.url)), 'utf8')
  const [, section = ''] = text.split(`\n## ${heading}\n`)
  const [, code] = /```ts\n([\s\S]*?)```/.exec(section.split('\n## ')[0] as string) ?? []
  if (code === undefined) throw new Error(`${document} has no code under ${heading}`)
  return code
}

export async function compiledSample(heading: string): Promise<string> {
  return (await transform(sample(heading), { loader: 'ts', target: 'es2022' })).code
}
