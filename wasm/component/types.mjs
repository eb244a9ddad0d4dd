// Writes the ES module's types, with the comments of wit/reader.wit, which the component itself does not keep: node types.mjs DIRECTORY
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { $init, generateTypes } from '@bytecodealliance/jco-transpile/component'

const [directory] = process.argv.slice(2)
await $init
const wit = readFileSync(new URL('./wit/reader.wit', import.meta.url), 'utf8')
const options = { wit: { tag: 'source', val: wit }, world: 'reader', tlaCompat: false, features: { tag: 'list', val: [] }, guest: false }
for (const [name, content] of generateTypes('blockvault_reader', options)) {
  mkdirSync(dirname(join(directory, name)), { recursive: true })
  writeFileSync(join(directory, name), content)
}
