/**
 * The package as JSR gets it, TypeScript as it stands in the checkout: `deno publish` finds nothing to say about it, and a program that imports
 * what was published runs, with nothing installed. JSR is one on this machine.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import denoFile from '../deno.json' with { type: 'json' }
import packageFile from '../package.json' with { type: 'json' }
import { startJsrRegistry, type JsrRegistry } from './package/jsr-registry.ts'
import { packInto, startNpmRegistry } from './package/npm-registry.ts'
import { emptyFolder, PRINTED, readmeSample, runAside } from './package/outside.ts'
import { ROOT, runtimeOf } from './runtimes/runtimes.ts'

// Compilers and servers, beside whatever else the machine does.
vi.setConfig({ testTimeout: 120_000 })

const deno = runtimeOf('deno').program
const entries = Object.values(denoFile.exports)
/** Nothing of the network is asked: the packages of npm are those of node_modules. */
const OFFLINE = { DENO_NO_UPDATE_CHECK: '1', JSR_URL: 'http://127.0.0.1:9/', NPM_CONFIG_REGISTRY: 'http://127.0.0.1:9/' }

describe('deno.json', () => {
  it('says the same of the package as package.json', () => {
    expect(denoFile).toMatchObject({ version: packageFile.version, license: packageFile.license })
    expect(denoFile.name).toBe(`@${packageFile.name}/${packageFile.name}`)
  })
})

describe('deno', () => {
  it.each(entries)('checks the types of an entry without a word: %s', async (entry) => {
    const { stdout, stderr } = await runAside(deno, ['check', '--quiet', entry], ROOT, { ...OFFLINE, DENO_DIR: emptyFolder() })
    expect(stdout + stderr).toBe('')
  })

  it('would publish the package: types right and not slow, every import told, no warning', async () => {
    const { stderr } = await runAside(deno, ['publish', '--dry-run', '--allow-dirty'], ROOT, { ...OFFLINE, DENO_DIR: emptyFolder() })
    const said = stderr.split('\n').filter((line) => !/^\s*(file:.*|Check \S+|Checking for slow types in the public API\.\.\.|)$/.test(line))
    expect(said).toEqual([`Simulating publish of ${denoFile.name}@${denoFile.version} with files:`, 'Success Dry run complete'])
  })
})

describe('the published package', () => {
  const at = emptyFolder()
  let jsr: JsrRegistry
  let npm: Awaited<ReturnType<typeof startNpmRegistry>>
  const run = (args: string[], folder: string) =>
    runAside(deno, args, folder, { ...OFFLINE, DENO_DIR: `${at}/cache`, JSR_URL: jsr.url, NPM_CONFIG_REGISTRY: npm.url })

  beforeAll(async () => {
    jsr = await startJsrRegistry(denoFile.name, denoFile.version)
    const packages = emptyFolder()
    npm = await startNpmRegistry(packages, packInto(packages, Object.keys(packageFile.dependencies)))
    // Checked above.
    await run(['publish', '--allow-dirty', '--no-check', '--token', 'of-this-machine', '--no-provenance'], ROOT)
  }, 120_000)
  afterAll(() => {
    jsr.close()
    npm.close()
  })

  it('has every file that its files import, and no tests', () => {
    const files = jsr.files()
    expect(files).toEqual(expect.arrayContaining(['/README.md', '/LICENSE', '/wasm/pkg/blockvault_core_bg.wasm', ...entries.map((each) => each.slice(1))]))
    const missing = files
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) =>
        ts
          .preProcessFile(readFileSync(jsr.folder + name, 'utf8'), true, true)
          .importedFiles.map(({ fileName }) => fileName)
          .filter((each) => (each.startsWith('.') ? !files.includes(posix.join(posix.dirname(name), each)) : !/^(node|npm):/.test(each)))
          .map((each) => `${name} → ${each}`),
      )
    expect(missing).toEqual([])
    expect(files.filter((name) => /^[/](test|bench|dist|node_modules)[/]/.test(name))).toEqual([])
  })

  it('runs the sample of the README: the core is fetched, workers start', async () => {
    writeFileSync(`${at}/disk.img`, 'x'.repeat(99_999))
    writeFileSync(`${at}/sample.ts`, readmeSample(0).replace("'blockvault'", `'jsr:${denoFile.name}'`))
    const host = new URL(jsr.url).host
    const { stdout } = await run(['run', '--check', '--no-prompt', '--quiet', '--allow-read=.', '--allow-write=.', `--allow-net=${host}`, 'sample.ts'], at)
    expect(stdout).toMatch(PRINTED)
    expect(readFileSync(`${at}/restored.img`)).toEqual(readFileSync(`${at}/disk.img`))
  })

  it('says what the core needs, where the host it came from may not be asked again', async () => {
    await expect(run(['run', '--no-prompt', '--quiet', '--allow-read=.', '--allow-write=.', 'sample.ts'], at)).rejects.toThrow(
      /Reading blockvault's own files failed: .*run again with the --allow-net flag/,
    )
  })

  it('has every entry, the component with its code too', async () => {
    const imports = Object.keys(denoFile.exports).map((entry) => `Object.keys(await import('jsr:${denoFile.name}${entry.slice(1)}')).length`)
    const compressed = `(await import('jsr:${denoFile.name}/component')).codecs.compress('zstd', 3, new Uint8Array(5000)).length`
    writeFileSync(`${at}/entries.ts`, `console.log(JSON.stringify([${[...imports, compressed].join(', ')}]))`)
    const { stdout } = await run(['run', '--no-prompt', '--quiet', `--allow-net=${new URL(jsr.url).host}`, 'entries.ts'], at)
    const counts = JSON.parse(stdout) as number[]
    expect(counts.length).toBe(entries.length + 1)
    for (const count of counts) expect(count).toBeGreaterThan(1)
    expect(counts.at(-1)).toBeLessThan(100)
  })
})
