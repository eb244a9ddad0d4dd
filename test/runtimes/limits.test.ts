/** Runtimes that lack something: permissions, WebAssembly SIMD, years. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { attachLoop, lacksLoop } from '../node/devices.ts'
import { createKey } from '../node/command.ts'
import { testUnless } from '../node/system.ts'
import { sharedWorkplace, workplace } from '../node/workplace.ts'
import { noise } from '../repository/support/random.ts'
import packageFile from '../../package.json' with { type: 'json' }
import { tooOld } from '../../adapters/shared/runtime-version.ts'
import { result, run } from './processes.ts'
import { ROOT, RUNTIMES, type Runtime, runtimeOf } from './runtimes.ts'

const COMMAND = `${ROOT}/dist/blockvault.js`
const deno = runtimeOf('deno')

describe('on Deno, what is not permitted', () => {
  const place = sharedWorkplace()
  const source = place.file('volume', noise(1, 100_000))
  const repository = place.folder('repository')
  const key = createKey(place).path
  const environment = { HOME: place.folder('home'), BLOCKVAULT_KEY_FILE: key, BLOCKVAULT_REPO: repository, BLOCKVAULT_WORKERS: '' }
  const all = { read: [ROOT, source, repository, key], write: [repository, place.directory], env: [] as string[] }
  const blockvault = (flags: readonly string[], ...args: string[]) =>
    run({ program: deno.program, args: ['run', '--no-prompt', ...flags, COMMAND, ...args, '--json'], environment })
  const flags = ({ read = all.read, write = all.write, env = '--allow-env' }: { read?: string[]; write?: string[]; env?: string } = {}) =>
    [...(read.length > 0 ? [`--allow-read=${read}`] : []), ...(write.length > 0 ? [`--allow-write=${write}`] : []), env].filter((flag) => flag !== '')
  const without = (path: string) => all.read.filter((each) => each !== path)

  it('is nothing that a backup of a file and its restore need: read, write, the environment', async () => {
    expect(result(await blockvault(flags(), 'init'))).toMatchObject({ type: 'result' })
    expect(result(await blockvault(flags(), 'backup', source))).toMatchObject({ type: 'result', volumeBytes: 100_000, hostName: '' })
    // A new file is looked at, and its directory synced.
    const restored = place.path('restored')
    expect(result(await blockvault(flags({ read: [...all.read, place.directory] }), 'restore', 'latest', restored))).toMatchObject({ type: 'result' })
    expect(readFileSync(restored)).toEqual(readFileSync(source))
  })

  it.each([
    ['the source', { read: without(source) }, ['backup', source], 'SOURCE_DENIED', '--allow-read'],
    ['the repository, to be read', { read: without(repository) }, ['list'], 'STORAGE_DENIED', '--allow-read'],
    ['the repository, to be written', { write: [] }, ['backup', source, '--tag', 'other=1'], 'STORAGE_DENIED', '--allow-write'],
    [
      'the target, to be written',
      { read: [...all.read, place.directory], write: [repository] },
      ['restore', 'latest', place.path('t')],
      'TARGET_DENIED',
      '--allow-write',
    ],
    ['the target, to be looked at', {}, ['restore', 'latest', place.path('t')], 'TARGET_DENIED', '--allow-read'],
    ['the key file', { read: without(key) }, ['list'], 'KEY_REQUIRED', '--allow-read'],
    ['the environment', { env: '' }, ['list'], 'USAGE', '--allow-env'],
    ["blockvault's own files", { read: without(ROOT) }, ['backup', source], 'CORE_UNAVAILABLE', '--allow-read'],
  ] as const)('is an error of its own, with the flag that is missing: %s', async (_, permitted, args, code, flag) => {
    const answer = await blockvault(flags(permitted as Parameters<typeof flags>[0]), ...args)
    const last = result(answer)
    expect(last).toMatchObject({ type: 'error', code, details: { flag } })
    expect(String(last['message'])).toContain(flag)
    expect(answer.exitCode).toBe(last['exitCode'])
  })

  testUnless(lacksLoop)('is a block device without --allow-all', async () => {
    const device = attachLoop(place, place.file('image', noise(2, 1 << 20)))
    const target = attachLoop(place, place.file('other', noise(3, 1 << 20)))
    const files = ['--allow-read', '--allow-write', '--allow-env', '--allow-sys=hostname']
    expect(result(await blockvault(files, 'backup', device))).toMatchObject({ code: 'SOURCE_DENIED', details: { flag: '--allow-all' } })
    expect(result(await blockvault(files, 'restore', 'latest', target, '--force'))).toMatchObject({ code: 'TARGET_DENIED', details: { flag: '--allow-all' } })
    expect(result(await blockvault(['--allow-all'], 'backup', device))).toMatchObject({ type: 'result', volumeBytes: 1 << 20 })
  })
})

/** What takes SIMD from a runtime: V8 needs SSE4.1 for it. */
const WITHOUT_SIMD: Record<Runtime['adapter'], { args: string[]; environment: Record<string, string> }> = {
  node: { args: ['--no-enable-sse4-1'], environment: {} },
  deno: { args: ['run', '--allow-all', '--v8-flags=--no-enable-sse4-1'], environment: {} },
  bun: { args: ['run'], environment: { BUN_JSC_useWasmSIMD: '0' } },
}

describe.skipIf(process.arch !== 'x64')('without WebAssembly SIMD', () => {
  it.each(RUNTIMES)(
    '$name says so once, and reads and writes the same repositories',
    async (runtime) => {
      const place = workplace()
      const volume = place.file('volume', noise(1, 5_000_000))
      const environment = { HOME: place.folder('home'), BLOCKVAULT_KEY_FILE: createKey(place).path, BLOCKVAULT_REPO: place.path('repository') }
      const { args, environment: less } = WITHOUT_SIMD[runtime.adapter]
      const slow = (...words: string[]) => run({ program: runtime.program, args: [...args, COMMAND], environment: { ...environment, ...less } }, ...words)
      const fast = (...words: string[]) => run({ program: runtime.program, args: [...runtime.run, COMMAND], environment }, ...words)
      const told = ({ stderr }: { stderr: string }) => stderr.split('no WebAssembly SIMD').length - 1

      const made = await slow('init')
      expect([made.exitCode, told(made)], made.stderr).toEqual([0, 1])
      const first = await slow('backup', volume, '--workers', '2')
      expect([first.exitCode, told(first)], first.stderr).toEqual([0, 1])
      const second = await fast('backup', volume, '--json')
      expect([result(second)['newBytes'], told(second)]).toEqual([0, 0])
      expect((await fast('restore', 'latest', place.path('fast'))).exitCode).toBe(0)
      expect((await slow('restore', 'latest', place.path('slow'))).exitCode).toBe(0)
      for (const restored of ['fast', 'slow']) expect(Buffer.compare(readFileSync(place.path(restored)), readFileSync(volume)), restored).toBe(0)
    },
    240_000,
  )
})

describe('a runtime that is too old', () => {
  it('is one below the oldest version that blockvault runs on', () => {
    for (const old of ['18.20.8', '20.3.1', '6.0.0']) expect(tooOld('Node', old), old).toMatch(/needs Node 20\.4\.0 or newer, and this is /)
    for (const good of ['20.4.0', '20.4.1', '21.0.0', '20.10.0', '22.18.0', '100.0.0-nightly', '20.4.0-rc.1', 'unknown', '']) {
      expect(tooOld('Node', good), good).toBeUndefined()
    }
    expect(tooOld('Deno', '2.3.7')).toMatch(/Deno 2\.4\.0/)
    expect(tooOld('Bun', '1.1.45')).toMatch(/Bun 1\.2\.0/)
  })

  it('is the one that the package names', () => {
    for (const [name, range] of Object.entries(packageFile.engines)) {
      const oldest = `${range.replace('>=', '')}.0`
      const runtime = (['Node', 'Deno', 'Bun'] as const).find((each) => each.toLowerCase() === name)!
      expect(tooOld(runtime, oldest), name).toBeUndefined()
      expect(tooOld(runtime, '0.9.9'), name).toContain(`needs ${runtime} ${oldest} or newer`)
    }
  })

  it.each(RUNTIMES)('is told so by the command, and by the library: $name', async ({ adapter, program, run: args }) => {
    const place = workplace()
    const version = { node: 'process.versions', deno: 'Deno', bun: 'process.versions' }[adapter]
    const [name, value] = adapter === 'deno' ? ['version', '{ deno: "1.0.0" }'] : [adapter, '"1.0.0"']
    const library = { node: 'index', deno: 'deno', bun: 'bun' }[adapter]
    writeFileSync(
      place.path('old.mjs'),
      `Object.defineProperty(${version}, '${name}', { value: ${value} })
      const { openRepository } = await import('${ROOT}/dist/${library}.js')
      await openRepository({ repository: '/nowhere' }).catch(({ code, message }) => console.log(code, message))
      await import('${COMMAND}')`,
    )
    const { exitCode, stdout, stderr } = await run({ program, args: [...args, place.path('old.mjs')] })
    expect(stdout).toMatch(/^CORE_UNAVAILABLE blockvault needs \w+ [\d.]+ or newer, and this is 1\.0\.0: update it\.\n$/)
    expect(stderr.trim()).toBe(stdout.trim().replace('CORE_UNAVAILABLE ', ''))
    expect(exitCode).toBe(1)
  })
})
