// Writes the ES module's types, with the comments of wit/reader.wit, which the component itself does not keep: node types.mjs FILE
// One file with a namespace for each interface: files that name each other can not suit Node's resolution and Deno's both.
import { readFileSync, writeFileSync } from 'node:fs'
import { $init, generateTypes } from '@bytecodealliance/jco-transpile/component'

const [file] = process.argv.slice(2)
await $init
const wit = readFileSync(new URL('./wit/reader.wit', import.meta.url), 'utf8')
const options = { wit: { tag: 'source', val: wit }, world: 'reader', tlaCompat: false, features: { tag: 'list', val: [] }, guest: false }
const namespaces = generateTypes('blockvault_reader', options).flatMap(([name, content]) => {
  const [, namespace] = /^interfaces\/blockvault-reader-(\w+)\.d\.ts$/.exec(name) ?? []
  if (namespace === undefined) return []
  const text = new TextDecoder().decode(content).replaceAll(/import\('\.\/blockvault-reader-(\w+)\.js'\)/g, '$1')
  return [`export declare namespace ${namespace} {\n${text.replace(/^\/\*\* @module.*\n/, '').trim().replaceAll(/^(?=.)/gm, '  ')}\n}\n`]
})
writeFileSync(file, namespaces.join('\n'))
