import { describe, expect, it } from '@jest/globals'
import { parseKubernetesYaml, parseYaml, splitDocuments, toYaml, YamlFault } from './yaml.ts'

/** Each as `kubectl create --dry-run=client -o json` of Kubernetes 1.34 has it. */
const SCALARS: readonly (readonly [text: string, value: unknown])[] = [
  ['0400', 256],
  ['0o17', 15],
  ['0x1F', 31],
  ['0b11', 3],
  ['08', 8],
  ['017.5', 17.5],
  ['+1', 1],
  ['-0x10', -16],
  ['-010', -8],
  ['1_000', 1000],
  ['1_0.5', 10.5],
  ['0b', '0b'],
  ['1e', '1e'],
  ['1e3', 1000],
  ['.5', 0.5],
  ['1.', 1],
  ['yes', true],
  ['on', true],
  ['y', true],
  ['No', false],
  ['TRUE', true],
  ['1:30', '1:30'],
  ['2001-01-01', '2001-01-01'],
  ['2001-01-01T00:00:00Z', '2001-01-01T00:00:00Z'],
  ['Null', null],
  ['~', null],
  ['', null],
  ['1.2.3', '1.2.3'],
  ['"0400"', '0400'],
  ["'yes'", 'yes'],
]

describe('YAML of Kubernetes', () => {
  it.each(SCALARS)('has %s as kubectl has it', (text, value) => {
    expect(parseKubernetesYaml(`it: ${text}\n`)).toEqual({ it: value })
  })

  it('merges mappings, and takes truth values and numbers as keys', () => {
    const text = 'base: &base { a: 1 }\nuse: { <<: *base, on: 2, 0400: 3 }\n'
    expect(parseKubernetesYaml(text)).toEqual({ base: { a: 1 }, use: { a: 1, true: 2, 256: 3 } })
  })

  it('is split where a document begins, and not in a text that is further in', () => {
    const text = '---\na: |\n  ---\n  x\n--- # two\nb: 1\n---\n'
    const documents = splitDocuments(text).filter((one) => one.trim() !== '')
    expect(documents.map(parseKubernetesYaml)).toEqual([{ a: '---\nx\n' }, { b: 1 }])
  })

  it('is refused with the place of the fault, and without its text', () => {
    const told = () => parseKubernetesYaml('token: hush\nkey: 1\nkey: hush\n')
    expect(told).toThrow(YamlFault)
    expect(told).toThrow(/^duplicated mapping key at line 3, column \d+$/)
    expect(() => parseKubernetesYaml('a: 1\n...\nb: 2\n')).toThrow(YamlFault)
  })
})

describe('YAML of ours', () => {
  it('is read by YAML 1.2, an empty file as nothing', () => {
    expect(parseYaml('on: push\nmode: 0400\n')).toEqual({ on: 'push', mode: 400 })
    expect(parseYaml('# nothing\n') ?? undefined).toBeUndefined()
  })

  it('is written so that readers of YAML 1.1 and 1.2 find the same', () => {
    const value = {
      ...{ yes: 'yes', mode: '0400', date: '2001-01-01', time: '1:30', float: '1e3', tilde: '~' },
      ...{ lines: 'a\nb\n', long: 'word '.repeat(40).trim(), number: 1, list: [{ a: 1, b: 'no' }] },
    }
    const text = toYaml(value)
    expect(parseKubernetesYaml(text)).toEqual(value)
    expect(parseYaml(text)).toEqual(value)
    expect(text).toContain(value.long)
  })

  it('is whole where a part is a copy that another realm has made, as structuredClone does in a test', () => {
    const copy = structuredClone({ command: ['a'] })
    expect(Object.getPrototypeOf(copy)).not.toBe(Object.prototype)
    expect(toYaml({ part: copy, list: [copy] })).toBe(
      'part:\n  command:\n    - a\nlist:\n  - command:\n      - a\n',
    )
  })

  it('leaves out what is not there, and says twice what is there twice', () => {
    const shared = { z: 'no' }
    expect(toYaml({ b: 1, a: undefined, c: shared, d: shared })).toBe(
      'b: 1\nc:\n  z: "no"\nd:\n  z: "no"\n',
    )
  })
})
