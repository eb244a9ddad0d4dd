/** What the documents promise: tables that equal the code's, links that lead somewhere, set-up lines that are the scripts. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import packageFile from '../package.json' with { type: 'json' }
import { COMMANDS } from '../src/cli/commands.ts'
import { EXIT_CODES, exitCodeOf } from '../src/cli/exit-codes.ts'
import { usageLine } from '../src/cli/usage.ts'
import { ERROR_CODES, type ErrorCode } from '../src/contract/errors.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const text = (name: string) => readFileSync(join(root, name), 'utf8')
const documents = ['README.md', 'CHANGELOG.md', 'bench/README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]

/** The rows of the table below a heading. */
function rows(document: string, heading: string): string[] {
  const [, section = ''] = document.split(`\n## ${heading}\n`)
  return (section.split('\n## ')[0] as string)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
}

describe('docs/errors.md', () => {
  it('has every exit code with its meaning', () => {
    expect(rows(text('docs/errors.md'), 'Exit codes')).toEqual(Object.entries(EXIT_CODES).map(([code, meaning]) => `| ${code} | ${meaning} |`))
  })

  it('has every error code with its meaning and exit code', () => {
    const wanted = Object.entries(ERROR_CODES).map(([code, meaning]) => `| ${code} | ${meaning} | ${exitCodeOf(code as ErrorCode)} |`)
    expect(rows(text('docs/errors.md'), 'Error codes')).toEqual(wanted)
  })
})

describe('README.md', () => {
  it('has exactly two lines that set up: one for the main job, one for the tests', () => {
    expect(
      text('README.md')
        .match(/^ *npm ci.*$/gm)
        ?.map((line) => line.trim()),
    ).toEqual(['npm ci && npx blockvault backup PATH', 'npm ci && npm test'])
    expect(packageFile.scripts).toHaveProperty('test')
    expect(packageFile.bin).toHaveProperty('blockvault')
  })

  it('names every command as its help does', () => {
    for (const command of COMMANDS) expect(text('README.md')).toContain(usageLine(command).replace('[--no-encryption]', '').trim())
  })

  it('tells the versions of the runtimes that package.json asks for', () => {
    const { node, deno, bun } = packageFile.engines
    expect(text('README.md')).toContain(`Needs Node ${node}, Deno ${deno} or Bun ${bun}, or newer.`.replaceAll('>=', ''))
  })
})

describe.each(documents)('%s', (name) => {
  it('links only to files that exist', () => {
    const links = [...text(name).matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, target]) => join(dirname(name), target as string))
    expect(links.filter((target) => !existsSync(join(root, target)))).toEqual([])
  })

  it('names only files that exist', () => {
    const named = [...text(name).matchAll(/`((?:src|adapters|wasm|test|bench|docs)\/[\w./-]+\.\w+)`/g)].map(([, target]) => target as string)
    expect(named.filter((target) => !existsSync(join(root, target)))).toEqual([])
  })
})
