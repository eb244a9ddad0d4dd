/** Edge workers and pages as hosts of the contracts' suites: bundled without anything of Node's, run in workerd and in a headless Chromium. */
import { readFileSync } from 'node:fs'
import { build, type Plugin } from 'esbuild'
import { noChromium, startChromium } from '../edge/support/chromium.ts'
import { type ObjectServer, startObjectServer } from '../edge/support/object-server.ts'
import { noWorkerd, startWorkerd } from '../edge/support/workerd.ts'
import * as otherPrograms from '../suites/core/other-programs.ts'
import type { EdgeHost, EdgeJob, EdgeSuiteName } from './edge-hosts.ts'
import { ROOT } from './runtimes.ts'
import type { Outcome } from './vitest.ts'

/** A worker or page of its own for each suite. */
export interface EdgeRunner {
  run(suite: EdgeSuiteName): Promise<Outcome>
  close(): Promise<void>
}

/** `missing`: why a host is not to be had here. */
export const EDGE: Readonly<Record<EdgeHost, { missing: string | undefined; start(): Promise<EdgeRunner> }>> = {
  workerd: { missing: noWorkerd, start: workers },
  Chromium: { missing: noChromium, start: pages },
}

async function workers(): Promise<EdgeRunner> {
  const code = await bundled(`
    import core from 'blockvault/core.wasm'
    import { runEdgeSuite } from './edge-suite.ts'
    export default { fetch: async (request) => Response.json(await runEdgeSuite(await request.json(), core)) }
  `)
  const server = await startServer()
  return {
    async run(suite) {
      const workerd = await startWorkerd(code)
      try {
        const response = await fetch(workerd.url, { method: 'POST', body: JSON.stringify({ suite, url: server.url } satisfies EdgeJob) })
        if (!response.ok) throw new Error(`workerd answered ${response.status}: ${await response.text()}\n${workerd.messages}`)
        return (await response.json()) as Outcome
      } finally {
        await workerd.close()
      }
    },
    close: () => server.close(),
  }
}

async function pages(): Promise<EdgeRunner> {
  const code = await bundled(`
    import { runEdgeSuite } from './edge-suite.ts'
    globalThis.run = (job) => runEdgeSuite(job, '/core.wasm')
  `)
  const server = await startServer({
    'index.html': { type: 'text/html', body: '<!doctype html><script type="module" src="/suite.js"></script>' },
    'suite.js': { type: 'text/javascript', body: code },
    'core.wasm': { type: 'application/wasm', body: readFileSync(`${ROOT}/wasm/pkg/blockvault_core_bg.wasm`) },
  })
  const chromium = await startChromium()
  return {
    async run(suite) {
      const page = await chromium.open(`${server.url}index.html`)
      try {
        return await page.evaluate<Outcome>(`run(${JSON.stringify({ suite, url: server.url } satisfies EdgeJob)})`)
      } finally {
        await page.close()
      }
    },
    async close() {
      await chromium.close()
      await server.close()
    },
  }
}

/** A storage behind HTTP that a suite may empty. */
async function startServer(pages: Parameters<typeof startObjectServer>[1] = {}): Promise<ObjectServer> {
  const server = await startObjectServer(new Map(), pages)
  server.misbehave = (_, response, path) => {
    if (path !== 'clear') return false
    server.objects.clear()
    response.end()
    return true
  }
  return server
}

/** What other programs made is in the bundle, made here and now: neither has them. */
const madeHere: Plugin = {
  name: 'made here',
  setup({ onLoad }) {
    const exported = Object.entries(otherPrograms).map(([name, bytes]) => `export const ${name} = fromBase64('${Buffer.from(bytes).toString('base64')}')`)
    const contents = [`import { fromBase64 } from '../bytes.ts'`, ...exported].join('\n')
    onLoad({ filter: /[/]suites[/]core[/]other-programs\.ts$/ }, () => ({ contents, loader: 'ts' }))
  },
}

async function bundled(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: `${ROOT}/test/runtimes` },
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['blockvault/core.wasm'],
    alias: { vitest: `${ROOT}/test/runtimes/vitest.ts` },
    plugins: [madeHere],
    logLevel: 'warning',
  })
  return (outputFiles[0] as { text: string }).text
}
