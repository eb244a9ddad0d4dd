/**
 * The command on each runtime: the same image in the same run. Every operation is one process, timed whole; the runtimes take turns, so that a
 * noisy minute hurts all of them alike.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { jsonReporter, machine, measureProcess, medianSample, positiveInteger, printTable, readOnce, type Sample, say, sayMachine, turned } from './harness.ts'

export const help = `runtimes --image FILE [OPTIONS]    the command on Node, Deno and Bun
  --image FILE              the disk image
  --runs N                  rounds; the table has the medians (default 3)
  --work DIR                for repositories and restores: room for one image and half a one (default: beside the image)
  --options TEXT            more options for the command, e.g. "--workers 1"
  --runtime NAME=COMMAND    how to run a script; again for each. The first is what the others are compared with
                            (default: this Node, and those in node_modules)
  --json                    JSON lines to stdout`

const COMMAND = 'dist/blockvault.js'
/** What is measured of each. `list` is of a repository without backups: the start of the command, and what it takes to open one. */
const OPERATIONS = ['list', 'first', 'unchanged', 'restore'] as const
type Operation = (typeof OPERATIONS)[number]
/** What issue 5 asks of the other runtimes: so many times as fast as Node; and of each, so many seconds. */
const GOALS: Record<Operation, string> = { list: '0.15 s', first: '0.80×', unchanged: '0.85×', restore: '' }

interface Runtime {
  name: string
  command: string
  samples: Record<Operation, Sample[]>
}

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      image: { type: 'string' },
      runs: { type: 'string', default: '3' },
      work: { type: 'string' },
      options: { type: 'string', default: '' },
      runtime: { type: 'string', multiple: true, default: installed() },
      json: { type: 'boolean', default: false },
    },
  })
  if (values.image === undefined || !existsSync(values.image)) throw new Error(`--image is missing\n\n${help}`)
  const image = path.resolve(values.image)
  const work = path.join(path.resolve(values.work ?? path.dirname(image)), 'runtimes-work')
  // the paths in it stand in shell commands as they are
  if (![work, image].every((each) => /^[\w./+-]+$/.test(each))) throw new Error('Choose paths without spaces or other shell characters')
  const report = jsonReporter(values.json)
  report(machine())
  sayMachine()
  const runtimes = values.runtime.map((text): Runtime => {
    const [name = '', command = ''] = text.split(/=(.*)/)
    return { name, command, samples: { list: [], first: [], unchanged: [], restore: [] } }
  })
  try {
    for (let round = 0; round < positiveInteger('--runs', values.runs); round++) {
      for (const runtime of turned(runtimes, round)) {
        for (const [operation, sample] of await measure(runtime.command, image, work, values.options)) {
          runtime.samples[operation].push(sample)
          report({ type: 'run', runtime: runtime.name, round, operation, ...sample })
        }
        say(`round ${round + 1}: ${runtime.name}`)
      }
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  summarise(runtimes)
  for (const { name, samples } of runtimes) {
    for (const operation of OPERATIONS) report({ type: 'result', runtime: name, operation, ...medianSample(samples[operation]) })
  }
  return 0
}

/** All operations once. Reads come from the page cache; what is written waits for no earlier writes. */
async function measure(runtime: string, image: string, work: string, options: string): Promise<[Operation, Sample][]> {
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const key = path.join(work, 'key')
  writeFileSync(key, `blockvault-key-1 ${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  const repository = path.join(work, 'repository')
  const env = { ...process.env, BLOCKVAULT_KEY_FILE: key, BLOCKVAULT_REPO: repository }
  const timed = async (operation: Operation, words: string, reads: readonly string[]): Promise<[Operation, Sample]> => {
    for (const file of reads) await readOnce(file)
    execFileSync('sync')
    const { stdout: _, ...sample } = await measureProcess(`${runtime} ${COMMAND} ${words} ${operation === 'list' ? '' : options}`, { env })
    return [operation, sample]
  }
  await measureProcess(`${runtime} ${COMMAND} init`, { env })
  await measureProcess(`${runtime} ${COMMAND} list`, { env })
  const restored = path.join(work, 'restored')
  const samples = [
    await timed('list', 'list', []),
    await timed('first', `backup ${image}`, [image]),
    await timed('unchanged', `backup ${image}`, [image]),
    await timed('restore', `restore latest ${restored}`, filesUnder(repository)),
  ]
  execFileSync('cmp', [image, restored])
  return samples
}

function summarise(runtimes: readonly Runtime[]): void {
  const [reference] = runtimes
  const table = (title: string, cell: (sample: Sample, than: Sample) => string) => {
    say(`\n${title}\n`)
    printTable(
      ['', ...runtimes.map(({ name }) => name), 'goal'],
      OPERATIONS.map((operation) => [
        operation,
        ...runtimes.map(({ samples }) => cell(medianSample(samples[operation]), medianSample(reference?.samples[operation] ?? []))),
        GOALS[operation],
      ]),
    )
  }
  table(
    `Seconds, and how many times as fast as ${reference?.name}`,
    (sample, than) => `${sample.seconds.toFixed(2)} (${(than.seconds / sample.seconds).toFixed(2)}×)`,
  )
  table('CPU seconds, likewise · peak RSS MiB', (sample, than) => {
    const [cpu, other] = [sample.cpuSeconds ?? NaN, than.cpuSeconds ?? NaN]
    return `${cpu.toFixed(2)} (${(other / cpu).toFixed(2)}×) · ${Math.round((sample.peakRssBytes ?? NaN) / 1024 / 1024)}`
  })
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

function installed(): string[] {
  const found = { node: 'node_modules/node/bin/node', deno: 'node_modules/deno/deno', bun: 'node_modules/bun/bin/bun.exe' }
  const others = { 'current Node': found.node, Deno: `${found.deno} run --allow-all`, Bun: found.bun }
  const commands = Object.entries(others).filter(([, command]) => existsSync(command.split(' ')[0] as string))
  return [`Node ${process.versions.node}=${process.execPath}`, ...commands.map(([name, command]) => `${name}=${command}`)]
}
