/**
 * A registry like JSR on this machine: takes what `deno publish` sends, and serves it to `jsr:` imports. Only what Deno's client asks is
 * answered; what JSR itself looks at, its server's own checks, is not here.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { emptyFolder, run } from './outside.ts'

export interface JsrRegistry {
  url: string
  /** Where the files of what was published lie, as they came. */
  folder: string
  /** Names of the files, from the package's root: `/src/…`. */
  files(): string[]
  close(): void
}

const TYPES: Partial<Record<string, string>> = { '.ts': 'text/typescript', '.js': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' }

/** Has room for one package in one version. */
export async function startJsrRegistry(name: string, version: string): Promise<JsrRegistry> {
  const folder = join(emptyFolder(), 'published')
  const [scope, short] = name.slice(1).split('/') as [string, string]
  const files = () => readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap(pathOf)
  const pathOf = (entry: { parentPath: string; name: string; isFile(): boolean }) =>
    entry.isFile() ? [`${entry.parentPath}/${entry.name}`.slice(folder.length)] : []
  const manifest = () => Object.fromEntries(files().map((path) => [path, described(readFileSync(folder + path))]))
  const answers: Record<string, () => object> = {
    [`GET /api/scopes/${scope}/packages/${short}`]: () => ({ scope, name: short }),
    [`GET /${name}/meta.json`]: () => ({ scope, name: short, latest: version, versions: { [version]: {} } }),
    [`GET /${name}/${version}_meta.json`]: () => ({ manifest: manifest(), exports: exportsOf(folder) }),
  }
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0] as string)
    const asked = `${request.method} ${path}`
    const file = folder + path.slice(`/${name}/${version}`.length)
    if (asked === `POST /api/scopes/${scope}/packages/${short}/versions/${version}`) {
      await unpack(request, folder)
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: '1', status: 'success', error: null }))
    } else if (answers[asked]) response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[asked]()))
    else if (path.startsWith(`/${name}/${version}/`) && existsSync(file)) {
      response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream').end(readFileSync(file))
    } else response.writeHead(404, { 'content-type': 'application/json' }).end('{"code":"notFound","message":"There is no such thing."}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, folder, files, close: () => void server.close() }
}

/** The body is a tarball. */
async function unpack(request: IncomingMessage, folder: string): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  mkdirSync(folder)
  writeFileSync(`${folder}.tgz`, Buffer.concat(parts))
  run('tar', ['-xzf', `${folder}.tgz`], folder)
}

function described(bytes: Buffer): { size: number; checksum: string } {
  return { size: bytes.length, checksum: `sha256-${createHash('sha256').update(bytes).digest('hex')}` }
}

function exportsOf(folder: string): unknown {
  return (JSON.parse(readFileSync(`${folder}/deno.json`, 'utf8')) as { exports: unknown }).exports
}
