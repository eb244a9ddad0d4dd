/** A headless Chromium, driven over a pipe by the few messages of its debugging protocol that a test needs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const NAMES = ['chromium', 'chromium-headless-shell', 'google-chrome', 'chrome']
const found = NAMES.find((name) => spawnSync(name, ['--version']).status === 0)

export const noChromium: string | undefined = found ? undefined : 'Chromium is missing (Debian: chromium)'

export interface Page {
  /** The value of an expression, promises awaited. Rejects when it throws, and when the page is closed meanwhile. */
  evaluate<Value>(expression: string): Promise<Value>
  /** As when its tab is closed. */
  close(): Promise<void>
}

export interface Chromium {
  version: string
  open(url: string): Promise<Page>
  close(): Promise<void>
}

interface Message {
  id?: number
  method?: string
  params?: { sessionId?: string }
  result?: Record<string, unknown>
  error?: { message: string }
}

/** `v8Flags`: for its JavaScript engine, in every page. */
export async function startChromium(v8Flags: readonly string[] = []): Promise<Chromium> {
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--remote-debugging-pipe',
    `--js-flags=${v8Flags.join(' ')}`,
  ]
  const profile = mkdtempSync(join(tmpdir(), 'blockvault-chromium-'))
  const child = spawn(found as string, [...flags, `--user-data-dir=${profile}`], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
  const send = connect(child)
  const { product } = (await send('Browser.getVersion')) as { product: string }
  return {
    version: product,
    async open(url) {
      const { targetId } = (await send('Target.createTarget', { url: 'about:blank' })) as { targetId: string }
      const { sessionId } = (await send('Target.attachToTarget', { targetId, flatten: true })) as { sessionId: string }
      const call = (method: string, params: object = {}) => send(method, params, sessionId)
      await call('Page.enable')
      const { errorText } = (await call('Page.navigate', { url })) as { errorText?: string }
      if (errorText !== undefined) throw new Error(`${url}: ${errorText}`)
      const page: Page = {
        async evaluate<Value>(expression: string) {
          const { result, exceptionDetails } = (await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })) as {
            result: { value: Value }
            exceptionDetails?: { text: string; exception?: { description?: string } }
          }
          if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
          return result.value
        },
        close: async () => void (await send('Target.closeTarget', { targetId })),
      }
      await page.evaluate('new Promise((resolve) => document.readyState === "complete" ? resolve() : addEventListener("load", () => resolve()))')
      return page
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      send('Browser.close').catch(() => {})
      await ended
      // Its helpers may write a moment longer.
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

/** Messages are JSON, each ended by a zero byte: file descriptor 3 to the browser, 4 from it. */
function connect(child: ChildProcess) {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void; sessionId: string | undefined }>()
  let count = 0
  let rest = ''
  const fail = (reason: string, concerned = (_: string | undefined) => true) => {
    for (const [id, call] of pending) {
      if (!concerned(call.sessionId)) continue
      pending.delete(id)
      call.reject(new Error(reason))
    }
  }
  child.once('error', (error) => fail(String(error)))
  child.once('exit', (code) => fail(`Chromium ended with code ${code}`))
  ;(child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0')
    rest = messages.pop() as string
    for (const { id, method, params, result, error } of messages.map((each) => JSON.parse(each) as Message)) {
      if (method === 'Target.detachedFromTarget') fail('the page was closed', (sessionId) => sessionId === params?.sessionId)
      const call = id === undefined ? undefined : pending.get(id)
      if (id === undefined || !call) continue
      pending.delete(id)
      if (error) call.reject(new Error(error.message))
      else call.resolve(result)
    }
  })
  return (method: string, params: object = {}, sessionId?: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++count
      pending.set(id, { resolve, reject, sessionId })
      ;(child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`)
    })
}
