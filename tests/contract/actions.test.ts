import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { parseYaml } from '../../src/yaml.ts'
import { buildImagesCommand } from '../../actions/build-images/command.ts'
import { deployCommand } from '../../actions/deploy/command.ts'
import { previewCommand } from '../../actions/preview/command.ts'
import { promoteCommand } from '../../actions/promote/command.ts'
import { verifyCommand } from '../../actions/verify/command.ts'
import type { InputSpec } from '../../src/edge/inputs.ts'

type ActionFile = {
  readonly inputs: Readonly<
    Record<string, { description: string; required: boolean; default?: string }>
  >
  readonly outputs: Readonly<Record<string, { description: string }>>
  readonly runs: { readonly using: string; readonly main: string }
}

const OUTPUTS = {
  'build-images': [
    'images',
    'lock-file',
    'lock-forms',
    'release',
    'sarif',
    'public-key',
    'report-page',
    'report',
  ],
  deploy: [
    'outcome',
    'release',
    'plan-hash',
    'commit',
    'cause',
    'evidence',
    'url',
    'report-page',
    'report',
  ],
  verify: ['verdict', 'junit', 'report-page', 'report'],
  promote: ['outcome', 'record', 'report-page', 'report'],
  preview: ['url', 'outcome', 'report-page', 'report'],
}

const commands = [buildImagesCommand, deployCommand, verifyCommand, promoteCommand, previewCommand]

describe.each(commands.map(({ name, inputs }) => ({ name, inputs })))(
  'the contract of $name',
  ({ name, inputs }) => {
    const file = readFile(`actions/${name}/action.yml`, 'utf8').then(
      (text) => parseYaml(text) as ActionFile,
    )

    it('declares the inputs that the code reads, in the same order', async () => {
      expect(Object.keys((await file).inputs)).toEqual(Object.keys(inputs))
    })

    it('gives each input the default and the requirement that the code has', async () => {
      const declared = Object.entries((await file).inputs).map(([input, spec]) => [
        input,
        spec.required ? 'required' : spec.default,
      ])
      const read = Object.entries<InputSpec>(inputs).map(([input, spec]) => [
        input,
        'required' in spec && spec.required ? 'required' : spec.default,
      ])
      expect(declared).toEqual(read)
    })

    it('declares its outputs and runs on Node 24 from dist', async () => {
      const { outputs, runs } = await file
      expect(Object.keys(outputs)).toEqual(OUTPUTS[name as keyof typeof OUTPUTS])
      expect(runs).toEqual({ using: 'node24', main: 'dist/index.js' })
    })

    it('describes every input and output in a sentence', async () => {
      const { inputs: declared, outputs } = await file
      for (const { description } of [...Object.values(declared), ...Object.values(outputs)])
        expect(description).toMatch(/^[^a-z].*\.$|^[a-z].*\.$/)
    })
  },
)
