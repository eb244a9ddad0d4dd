/**
 * A registry of npm packages on this machine: what npm, Deno and Bun ask when they install. It has the package as it is in the checkout, and
 * its dependencies as `npm ci` installed them: nothing comes from elsewhere.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ROOT } from '../runtimes/runtimes.ts'
import { run } from './outside.ts'

/** Of `npm pack --json`. */
interface Packed {
  name: string
  version: string
  filename: string
  integrity: string
}

/** Packs the checkout, first, and the named packages of its `node_modules` into `folder`. Their scripts do not run. */
export function packInto(folder: string, dependencies: readonly string[]): Packed[] {
  const wanted = ['.', ...dependencies.map((name) => `./node_modules/${name}`)]
  return JSON.parse(run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder, ...wanted], ROOT)) as Packed[]
}

/** Serves what `packInto` made; the answer is the registry's address. */
export async function startNpmRegistry(folder: string, packages: readonly Packed[]): Promise<{ url: string; close(): void }> {
  const server = createServer(({ url = '' }, response) => {
    const name = decodeURIComponent(url.slice(1))
    const tarball = packages.find(({ filename }) => name === `-/${filename}`)
    if (tarball) return response.end(readFileSync(join(folder, tarball.filename)))
    const found = packages.find((each) => each.name === name)
    if (!found) return response.writeHead(404).end('{}')
    const { version, filename, integrity } = found
    const manifest = JSON.parse(readFileSync(join(ROOT, found === packages[0] ? '' : `node_modules/${name}`, 'package.json'), 'utf8')) as object
    const dist = { integrity, tarball: `${address()}-/${filename}` }
    response.setHeader('content-type', 'application/json')
    return response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }))
  })
  const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: address(), close: () => void server.close() }
}
