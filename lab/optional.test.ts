import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { addons, imageEntry } from './addons.ts'
import { releaseOf } from './monitoring.ts'
import { optionalGoals, optionalModules, optionalSteps } from './optional.ts'
import { source } from './places.ts'
import { moduleNames, requiredVersion, tagFlags, versionOf, programsOf } from './toolset.ts'

const steps = optionalSteps({
  host: 'unix:///nowhere',
  built: [],
  wasReady: [],
  program: (name) => Promise.resolve(name),
})
const names = steps.map(({ name }) => name)

describe('the parts that are made only when asked for', () => {
  it('are made by steps that there are', () => {
    expect(names).toEqual(expect.arrayContaining(Object.values(optionalGoals).flat()))
  })

  it('need nothing but each other and the usual parts', () => {
    const usual = ['cluster', 'registry', 'builder']
    const needs = steps.flatMap((step) => step.needs).filter((need) => !usual.includes(need))
    expect(names).toEqual(expect.arrayContaining(needs))
  })

  it('are made of modules that the usual parts do without', () => {
    const compiled = names.filter((name) => name.startsWith('compile-'))
    expect(compiled).toEqual(optionalModules.map((name) => `compile-${name}`))
  })
})

describe('an add-on', () => {
  it.each(Object.values(addons))('$folder has manifests and an image', ({ folder, program }) => {
    expect(existsSync(join(source, 'addons', folder, 'kustomization.yaml'))).toBe(true)
    expect(existsSync(join(source, 'images', program, 'Dockerfile'))).toBe(true)
  })

  it('has its image put in by tag, the port of the registry being none', () => {
    expect(imageEntry('traefik', 'localhost:5001/lab/traefik:abc')).toEqual({
      name: 'traefik',
      newName: 'localhost:5001/lab/traefik',
      newTag: 'abc',
    })
  })
})

describe('a module', () => {
  it('is compiled with its build tags, where it has some', () => {
    expect(tagFlags('monitoring')).toEqual(['-tags', 'remove_all_sd,enable_kubernetes_sd'])
    expect(tagFlags('helm')).toEqual([])
  })
})

describe('the version of a program', () => {
  it.each(moduleNames)('of %s stands in its go.mod', (name) => {
    for (const program of Object.values(programsOf(name)))
      expect(versionOf(name, program)).toMatch(/^v\d+\.\d+\.\d+$/)
  })

  it('is found where a block names it and where a line does', () => {
    const goMod =
      'module m\n\nrequire a.org/x v1.2.3\n\nrequire (\n\tb.org/y v0.4.0 // indirect\n)\n'
    expect(requiredVersion(goMod, 'a.org/x')).toBe('v1.2.3')
    expect(requiredVersion(goMod, 'b.org/y')).toBe('v0.4.0')
    expect(() => requiredVersion(goMod, 'c.org/z')).toThrow('c.org/z is not required')
  })

  it.each([
    ['v0.313.5', 'v3.13.5'],
    ['v0.305.1', 'v3.5.1'],
  ])('of Prometheus: module %s is release %s', (module, release) => {
    expect(releaseOf(module)).toBe(release)
  })
})
