/**
 * blockvault beside restic, borg, kopia and rustic on the same disk image: every operation is one process, timed whole.
 *
 * What keeps it fair: operations go round-robin over the tools, the order turned each round; images and repositories are
 * read once before each, so reads come from the page cache; `sync` runs between, untimed; each tool's first restore is
 * compared with the image.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { jsonReporter, machine, measureProcess, positiveInteger, readOnce, say, sayMachine, turned } from './harness.ts'
import type { Report } from './harness.ts'
import { blockvault, installed, isBackup, OPERATIONS, PEERS, TOOLS_ENV } from './tools.ts'
import type { Tool, ToolPaths } from './tools.ts'
import { summarise } from './versus-tables.ts'
import type { Contender } from './versus-tables.ts'

export const help = `versus --image FILE [--later FILE] [OPTIONS]    blockvault and its peers on one disk image
  --image FILE       the disk image of the first backup (a regular file)
  --later FILE       the same disk some time later; without it that column is left out
  --runs N           rounds; the table has the medians (default 3)
  --work DIR         for repositories and restores, on the image's filesystem: room for about half an image a tool and one
                     whole image (default: beside the image)
  --only NAME,…      of blockvault, blockvault-passphrase, ${Object.keys(PEERS).join(', ')} (default: all that are installed)
  --peer-path DIR    searched for the peers before PATH
  --blockvault [NAME=]COMMAND
                     how to run ours; again with other names for other runtimes. By default node dist/blockvault.js twice:
                     as blockvault with a key file, which it makes by itself, and as blockvault-passphrase, like all peers
  --options TEXT     more options for our commands, e.g. "--workers 1"
  --keep             leave the work directory
  --json             JSON lines to stdout`

const BUILT = 'dist/blockvault.js'
/** The default `--blockvault`. Stretching a passphrase costs a quarter of a second a run; peers have no key file without one. */
const OURS = (command: string) => [`env -u BLOCKVAULT_PASSPHRASE ${command}`, `blockvault-passphrase=${command}`]

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      image: { type: 'string' },
      later: { type: 'string' },
      runs: { type: 'string', default: '3' },
      work: { type: 'string' },
      only: { type: 'string' },
      'peer-path': { type: 'string', default: '' },
      blockvault: { type: 'string', multiple: true },
      options: { type: 'string', default: '' },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  if (values.image === undefined) throw new Error(`--image is missing\n\n${help}`)
  const image = regularFile(values.image)
  const later = values.later === undefined ? undefined : regularFile(values.later)
  const runs = positiveInteger('--runs', values.runs)
  const work = path.join(path.resolve(values.work ?? path.dirname(image)), 'versus-work')
  // the paths in it stand in shell commands as they are
  if (!/^[\w./+-]+$/.test(work)) throw new Error(`--work ${work}: choose a path without spaces or other shell characters`)

  const directories = `${values['peer-path']}:${process.env['PATH'] ?? ''}`.split(':').filter((directory) => directory !== '')
  const env = { ...process.env, ...TOOLS_ENV, PATH: directories.join(':'), ...homes(work) }
  const contenders = choose({
    work,
    directories,
    only: values.only?.split(','),
    commands: values.blockvault,
    options: values.options === '' ? '' : ` ${values.options}`,
  })
  if (contenders.length === 0) throw new Error('none of the tools was found: give --peer-path, or build ours with npm run build')

  const report = jsonReporter(values.json)
  report(machine())
  sayMachine()
  try {
    rmSync(work, { recursive: true, force: true })
    for (const directory of Object.values(homes(work))) mkdirSync(directory, { recursive: true })
    for (const one of contenders) one.version = await versionOf(one.tool, env)
    for (let at = 0; at < runs; at++) await runRound({ at, image, later, work, env }, contenders, report)
  } finally {
    if (!values.keep) rmSync(work, { recursive: true, force: true })
  }
  summarise(contenders, statSync(image).size, report)
  return contenders.some((one) => one.error !== null || one.identical === false) ? 1 : 0
}

function regularFile(file: string): string {
  if (!statSync(file).isFile()) throw new Error(`${file} is not a regular file: the peers read devices in ways of their own, so copy it to an image first`)
  return path.resolve(file)
}

function homes(work: string): NodeJS.ProcessEnv & Record<string, string> {
  return { HOME: `${work}/home`, XDG_CACHE_HOME: `${work}/home/.cache`, XDG_CONFIG_HOME: `${work}/home/.config` }
}

interface Choice {
  work: string
  directories: readonly string[]
  only: readonly string[] | undefined
  commands: readonly string[] | undefined
  options: string
}

/** The tools that are wanted and there; says which are not. */
function choose({ work, directories, only, commands, options }: Choice): Contender[] {
  const ours = (commands ?? OURS(`${process.execPath} ${path.resolve(BUILT)}`)).map((text) => {
    const named = /^([a-z][a-z0-9-]*)=(.+)$/s.exec(text)
    return { name: named?.[1] ?? 'blockvault', command: named?.[2] ?? text }
  })
  const unknown = only?.filter((name) => PEERS[name] === undefined && !ours.some((one) => one.name === name)) ?? []
  if (unknown.length > 0) throw new Error(`--only: no tool is called ${unknown.join(', ')}\n\n${help}`)
  const wanted = (name: string): boolean => only === undefined || only.includes(name)
  const chosen: Contender[] = []
  for (const { name, command } of ours.filter((one) => wanted(one.name))) {
    if (commands === undefined && !existsSync(BUILT)) say(`${name}: ${BUILT} is missing, left out (npm run build makes it)`)
    else chosen.push(contender(work, name, (paths) => blockvault(name, command, paths, options)))
  }
  for (const [name, { binary, tool }] of Object.entries(PEERS).filter(([name]) => wanted(name))) {
    if (!installed(binary, directories)) say(`${name}: ${binary} is not installed, left out`)
    else chosen.push(contender(work, name, (paths) => tool(name, paths)))
  }
  return chosen
}

function contender(work: string, name: string, make: (paths: ToolPaths) => Tool): Contender {
  const home = `${work}/${name}`
  const paths = { volume: `${work}/volume/vm.img`, repository: `${home}/repository`, restored: `${work}/restored`, home }
  return {
    tool: make(paths),
    paths,
    version: '',
    id: '',
    samples: { first: [], unchanged: [], later: [], restore: [], verify: [] },
    repositoryBytes: { first: [], unchanged: [], later: [] },
    allocatedBytes: null,
    identical: null,
    error: null,
  }
}

/** The bare number, where there is one in the first line. */
async function versionOf(tool: Tool, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const line = (await measureProcess(tool.version, { env })).stdout.trim().split('\n')[0] ?? ''
    return /\d+\.\d+[^\s]*/.exec(line)?.[0] ?? line
  } catch {
    return 'unknown'
  }
}

interface Round {
  at: number
  image: string
  later: string | undefined
  work: string
  env: NodeJS.ProcessEnv
}

/** One repository a tool, from empty to verified. A tool that fails sits out the rest and is reported. */
async function runRound({ at, image, later, work, env }: Round, contenders: Contender[], report: Report): Promise<void> {
  const attempt = async (one: Contender, step: string, work: () => Promise<void>): Promise<void> => {
    if (one.error !== null) return
    try {
      await work()
    } catch (error) {
      one.error = error instanceof Error ? error.message : String(error)
      say(`${one.tool.name}: ${step} failed: ${one.error}`)
      report({ type: 'failure', bench: 'versus', tool: one.tool.name, operation: step, run: at, error: one.error })
    }
  }
  for (const one of contenders) {
    await attempt(one, 'setup', async () => {
      emptyDirectory(one.paths.home)
      await measureProcess(one.tool.setup, { cwd: work, env })
    })
  }
  for (const operation of OPERATIONS) {
    if (operation === 'later' && later === undefined) continue
    for (const one of turned(contenders, at)) {
      await attempt(one, operation, async () => {
        const { volume, repository, restored } = one.paths
        if (isBackup(operation)) link(operation === 'later' && later !== undefined ? later : image, volume)
        for (const file of isBackup(operation) ? [volume] : filesUnder(repository)) await readOnce(file)
        emptyDirectory(restored)
        execFileSync('sync')
        const command = one.tool.commands[operation].replaceAll('{id}', one.id)
        const { stdout, ...sample } = await measureProcess(command, { cwd: work, env })
        one.samples[operation].push(sample)
        say(`run ${at + 1}  ${operation.padEnd(9)}  ${one.tool.name.padEnd(14)} ${sample.seconds.toFixed(2).padStart(6)} s`)
        if (operation === 'first') one.id = one.tool.id?.exec(stdout)?.[1] ?? ''
        if (isBackup(operation)) one.repositoryBytes[operation].push(bytesUnder(repository))
        if (operation === 'restore') checkRestored(one, image)
        const stored = isBackup(operation) ? { repositoryBytes: one.repositoryBytes[operation].at(-1) } : {}
        report({ type: 'run', bench: 'versus', tool: one.tool.name, operation, run: at, ...sample, ...stored })
      })
    }
  }
  rmSync(path.join(work, 'restored'), { recursive: true, force: true })
}

/** Every backup of a series sees one path: a link, so that nothing is copied. */
function link(image: string, volume: string): void {
  emptyDirectory(path.dirname(volume))
  try {
    linkSync(image, volume)
  } catch (error) {
    throw new Error(`${image} can not be linked to ${volume}: give a --work directory on its filesystem`, { cause: error })
  }
}

function emptyDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
}

/** Holes of the one restored file, and once a tool its bytes. */
function checkRestored(one: Contender, image: string): void {
  const files = filesUnder(one.paths.restored)
  const file = files[0]
  if (file === undefined || files.length > 1) throw new Error(`the restore made ${files.length} files, not 1`)
  one.allocatedBytes = statSync(file).blocks * 512
  if (one.identical !== null) return
  try {
    execFileSync('cmp', ['-s', file, image])
    one.identical = true
  } catch {
    one.identical = false
    say(`${one.tool.name}: the restored file DIFFERS from the image`)
  }
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

function bytesUnder(directory: string): number {
  return filesUnder(directory).reduce((sum, file) => sum + statSync(file).size, 0)
}
