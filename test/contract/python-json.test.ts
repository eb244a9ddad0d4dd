/** JSON as Python writes it: cases by hand, and random ones against Python itself where there is one. */
import { execFileSync, spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHostileJson } from '../../src/contract/hostile-json.ts'
import { pythonJson } from '../../src/contract/python-json.ts'
import { SEED } from '../repository/support/random.ts'
import { coded } from '../repository/support/repositories.ts'

describe('pythonJson', () => {
  it.each<[unknown, string]>([
    ['a\x7f/"\\\n\x01é😀\ud800', String.raw`"a\u007f/\"\\\n\u0001\u00e9\ud83d\ude00\ud800"`],
    [
      [0, -0, 1.5, 1e15, 1e16, 1e21, 0.1, 0.0001, 1e-5, 1.5e-7, 2 ** 60, -2.5e-10],
      '[0, 0, 1.5, 1000000000000000, 10000000000000000, 1e+21, 0.1, 0.0001, 1e-05, 1.5e-07, 1152921504606846976, -2.5e-10]',
    ],
    [{ b: [], a: {}, 1: null, c: true }, '{"1": null, "b": [], "a": {}, "c": true}'],
  ])('writes %j', (value, expected) => {
    expect(pythonJson(value)).toBe(expected)
  })

  it('indents and sorts as sort_keys and indent do', () => {
    const value = { '\u{1f600}': 1, '\uffff': 2, b: [1, { x: null }], a: {}, c: [] }
    expect(pythonJson(value, { indent: 2, sortKeys: true })).toBe(
      String.raw`{
  "a": {},
  "b": [
    1,
    {
      "x": null
    }
  ],
  "c": [],
  "\uffff": 2,
  "\ud83d\ude00": 1
}`,
    )
  })

  it('writes integers of any length', () => {
    expect(pythonJson([10n ** 30n])).toBe(`[1${'0'.repeat(30)}]`)
  })

  it('refuses what JSON can not carry', () => {
    const circle: unknown[] = []
    circle.push(circle)
    for (const value of [undefined, [undefined], Number.NaN, Infinity, () => 1, Symbol('x'), new Date(), new Map(), new Uint8Array(1), circle, { a: circle }])
      expect(() => pythonJson(value)).toThrow(coded('InvalidInput'))
  })

  it.skipIf(spawnSync('python3', ['--version']).status !== 0)(`is what Python writes (seed ${SEED})`, () => {
    const values = fc.sample(fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }).map(plain), { numRuns: 500, seed: SEED })
    const script = 'import json,sys\nfor line in sys.stdin:\n v=json.loads(line)\n print(json.dumps([json.dumps(v), json.dumps(v, sort_keys=True, indent=2)]))'
    const answers = execFileSync('python3', ['-c', script], {
      input: values.map((value) => JSON.stringify(value)).join('\n'),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
      .trim()
      .split('\n')
    for (const [index, value] of values.entries())
      expect([pythonJson(value), pythonJson(value, { sortKeys: true, indent: 2 })]).toEqual(JSON.parse(answers[index] as string))
    expect(answers).toHaveLength(values.length)
  })
})

/** Without what the two languages read differently: keys that are numbers (JavaScript puts them first), and numbers that JavaScript rounds. */
function plain(value: unknown): unknown {
  if (typeof value === 'number') return Object.is(value, -0) || (Number.isInteger(value) && !Number.isSafeInteger(value)) ? 0.5 : value
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [`k${key}`, plain(item)]))
}

describe('parseHostileJson', () => {
  const parse = (text: string) => parseHostileJson(text, { what: 'text', lengthMax: 100, depthMax: 3 })

  it('reads what is within its bounds, to the last character and level', () => {
    expect(parse(`"${'x'.repeat(98)}"`)).toBe('x'.repeat(98))
    expect(parse('{"a": [{"b": "[[[[["}]}')).toEqual({ a: [{ b: '[[[[[' }] })
    expect(parse(String.raw`["\"[[[[", "]"]`)).toEqual(['"[[[[', ']'])
  })

  it('refuses what is beyond them', () => {
    for (const text of [`"${'x'.repeat(99)}"`, '[[[[]]]]', '[[[{}]]]', '{"__proto__": 1}', '[{"a": {"__proto__": {}}}]', '', '{', '[1] 2'])
      expect(() => parse(text)).toThrow(coded('InvalidInput'))
    expect(() => parse(7 as never)).toThrow(coded('InvalidInput'))
  })
})
