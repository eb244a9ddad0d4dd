/** The built module on each runtime: its code is found beside it, and it asks for no more than to read that. */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBLAKE3 } from 'hash-wasm'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../repository/support/volumes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const SCRIPT = `
import { chunks, codecs, objects, problemOf } from ${JSON.stringify(`${root}/dist/component.js`)}
const packed = codecs.compress('zstd', 3, new Uint8Array(5000).fill(65))
let refused
try {
  objects.Repository.open(new Uint8Array(3), [], { tag: 'none' })
} catch (error) {
  refused = problemOf(error)
}
console.log(JSON.stringify({
  plain: codecs.decompress('zstd', packed, 5000).length,
  fingerprint: Array.from(chunks.fingerprint(new Uint8Array(32), new Uint8Array(0)).slice(0, 4)),
  refused,
}))
`
const runtimes: [string, string, string[]][] = [
  ['Node', process.execPath, []],
  ['Deno', join(root, 'node_modules/.bin/deno'), ['run', '--quiet', '--no-prompt', `--allow-read=${root}/dist`]],
  ['Bun', join(root, 'node_modules/.bin/bun'), []],
]

describe.each(runtimes)('the built component on %s', (_, command, parameters) => {
  it.skipIf(!existsSync(command))('reads and refuses', async () => {
    const blake3 = (await createBLAKE3(256, new Uint8Array(32))).init().digest('binary')
    const fingerprint = [...blake3.subarray(0, 4)]
    const script = join(temporaryDirectory(), 'script.mjs')
    writeFileSync(script, SCRIPT)
    const { stdout, stderr } = spawnSync(command, [...parameters, script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({ plain: 5000, fingerprint, refused: 'malformed' })
  })
})
