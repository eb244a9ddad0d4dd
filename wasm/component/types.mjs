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
  // jco leaves the comments of interfaces and resources out, and has none for what one interface takes from another.
  const described = text
    .replaceAll(/^export class (\w+)/gm, (line, resource) => commentOf('resource', resource.toLowerCase()) + line)
    .replaceAll(/^export type \w+ = (\w+\.\w+);$/gm, (line, other) => `/** As \`${other}\`. */\n${line}`)
  return [`${commentOf('interface', namespace)}export declare namespace ${namespace} {\n${described.replace(/^\/\*\* @module.*\n/, '').trim().replaceAll(/^(?=.)/gm, '  ')}\n}\n`]
})
writeFileSync(file, namespaces.join('\n'))

/** Of a declaration in the WIT file, as JavaScript writes one. */
function commentOf(kind, name) {
  const [, lines] = new RegExp(`((?:^ *///.*\n)+) *${kind} ${name} `, 'm').exec(wit) ?? []
  if (lines === undefined) throw new Error(`reader.wit does not say what the ${kind} ${name} is.`)
  return `/** ${lines.replaceAll(/ *\/\/\/ ?/g, '').trim().replaceAll('\n', ' ')} */\n`
}
