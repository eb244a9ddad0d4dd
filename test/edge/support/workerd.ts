/** Runs an edge worker in workerd, the runtime itself, on the loopback interface. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../../repository/support/volumes.ts'

const dist = fileURLToPath(new URL('../../../dist/', import.meta.url))

/** The binary lies in the package of this platform: no install script is needed to find it. */
function workerdBinary(): string | undefined {
  const platforms: Readonly<Record<string, string>> = {
    'linux-x64': 'linux-64',
    'linux-arm64': 'linux-arm64',
    'darwin-x64': 'darwin-64',
    'darwin-arm64': 'darwin-arm64',
  }
  const platform = platforms[`${process.platform}-${process.arch}`]
  try {
    return platform && createRequire(import.meta.url).resolve(`@cloudflare/workerd-${platform}/bin/workerd`)
  } catch {
    return undefined
  }
}

export const noWorkerd: string | undefined = workerdBinary() ? undefined : `workerd has no binary for ${process.platform} on ${process.arch}`

export interface Workerd {
  url: string
  /** What it wrote to stderr. */
  readonly messages: string
  /** Most memory the process held so far, in bytes; `undefined` where the system does not say. */
  peakBytes(): number | undefined
  close(): Promise<void>
}

/** `code` is the worker's module; `blockvault/edge` and `blockvault/core.wasm` are there for it to import. */
export async function startWorkerd(
  code: string,
  { bindings = {}, v8Flags = [] }: { bindings?: Readonly<Record<string, string>>; v8Flags?: readonly string[] } = {},
): Promise<Workerd> {
  const folder = temporaryDirectory()
  writeFileSync(join(folder, 'worker.js'), code)
  for (const name of ['edge.js', 'blockvault_core_bg.wasm']) writeFileSync(join(folder, name), readFileSync(join(dist, name)))
  const text = (value: string) => JSON.stringify(value)
  writeFileSync(
    join(folder, 'workerd.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${v8Flags.map(text).join(', ')}],
  services = [
    (name = "main", worker = .main),
    (name = "network", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.js"),
    (name = "blockvault/edge", esModule = embed "edge.js"),
    ${code.includes('blockvault/core.wasm') ? '(name = "blockvault/core.wasm", wasm = embed "blockvault_core_bg.wasm"),' : ''}
  ],
  bindings = [${Object.entries(bindings)
    .map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`)
    .join(', ')}],
  compatibilityDate = "2026-01-01",
  globalOutbound = "network",
);
`,
  )
  const child = spawn(workerdBinary() as string, ['serve', basename('workerd.capnp'), '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
  })
  let messages = ''
  child.stderr?.on('data', (part) => (messages += part))
  const port = await listening(child).catch((error: unknown) => {
    throw new Error(`workerd did not start: ${error}\n${messages}`)
  })
  return {
    url: `http://127.0.0.1:${port}/`,
    get messages() {
      return messages
    },
    peakBytes() {
      const status = `/proc/${child.pid}/status`
      const [, kibibytes] = (existsSync(status) && /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(status, 'utf8'))) || []
      return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The port that it says it listens on. */
function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`exit code ${code}`)))
    createInterface(child.stdio[3] as Readable).on('line', (line) => {
      const event = JSON.parse(line) as { event: string; port?: number }
      if (event.event === 'listen' && event.port !== undefined) resolve(event.port)
    })
  })
}
