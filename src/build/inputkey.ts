import { readFile } from 'node:fs/promises'
import { isObject, canonicalJson } from '../json.ts'
import { sha256 } from '../registry/client.ts'
import { hideUserinfo } from '../userinfo.ts'
import { formOf } from './bake.ts'
import { type BakeTarget, dockerfileOf, folderOf } from './bakeplan.ts'
import type { Base } from './bases.ts'
import type { Builder } from './builder.ts'
import { readContext } from './context.ts'
import { outsideSources } from './dockerfile.ts'

/**
 * Everything that decides what an image becomes, by names that a person knows: `file backend/src/main.py`, `base python:3.11-slim`,
 * `argument VERSION`. The digest over all of it is the image's input key: equal keys, equal images.
 */
export type InputKey = {
  readonly digest: string
  readonly inputs: Readonly<Record<string, string>>
}

export type KeyOfTarget = InputKey | { readonly doubts: readonly string[] }

/** Raised when what is read changes, so that keys of before mean something else. */
const SCHEMA = '1'
/** Of a resolved target, what decides where the image goes or how it is cached, and not what is in it. */
const NOT_INPUTS = ['tags', 'output', 'cache-from', 'cache-to', 'contexts', 'context', 'args']

/** What is needed to know the sources of a target before its bases are resolved. */
export type TargetSources = {
  readonly target: BakeTarget
  readonly images: readonly string[]
  readonly doubts: readonly string[]
  readonly inputs: Readonly<Record<string, string>>
  /** Other targets that stand as contexts. */
  readonly parents: readonly string[]
}

/** Reads contexts and Dockerfile of a target. `folder` is where bake was started. */
export async function readSources(target: BakeTarget, folder: string): Promise<TargetSources> {
  const inputs: Record<string, string> = {}
  const doubts: string[] = []
  const context = folderOf(target.context, folder)
  const dockerfile = dockerfileOf(target, folder)
  const text =
    dockerfile === undefined ? undefined : await readFile(dockerfile, 'utf8').catch(() => undefined)
  if (context === undefined || dockerfile === undefined || text === undefined)
    return {
      target,
      images: [],
      doubts: [`its context ${hideUserinfo(target.context)} is not a folder here`],
      inputs,
      parents: [],
    }
  inputs['Dockerfile'] = sha256(Buffer.from(text))
  for (const [path, what] of await readContext(context, dockerfile)) inputs[`file ${path}`] = what
  const images: string[] = []
  const parents: string[] = []
  for (const [name, place] of Object.entries(target.contexts)) {
    const other = folderOf(place, folder)
    if (place.startsWith('target:')) parents.push(place.slice('target:'.length))
    else if (place.startsWith('docker-image://')) images.push(place.slice('docker-image://'.length))
    else if (other === undefined) doubts.push(`its context ${name} is ${hideUserinfo(place)}`)
    else
      for (const [path, what] of await readContext(other, dockerfile))
        inputs[`file ${name}:${path}`] = what
  }
  // By digest: an argument may be what nobody should read in a record of the build.
  for (const [name, value] of Object.entries(target.args))
    inputs[`argument ${name}`] = sha256(Buffer.from(value))
  const outside = outsideSources(text, {
    args: target.args,
    contexts: Object.keys(target.contexts),
  })
  for (const [key, value] of Object.entries(target.resolved))
    if (!NOT_INPUTS.includes(key))
      inputs[`setting ${key}`] = sha256(Buffer.from(canonicalJson(value)))
  return {
    target,
    images: [...images, ...outside.images],
    doubts: [...doubts, ...outside.doubts],
    inputs,
    parents,
  }
}

/** The input key of a target, or what stands against one. */
export function inputKeyOf(
  sources: TargetSources,
  by: {
    readonly bases: ReadonlyMap<string, Base>
    readonly builder: Builder
    readonly platforms: readonly string[]
    readonly reproducible: boolean
    readonly parents: ReadonlyMap<string, KeyOfTarget>
  },
): KeyOfTarget {
  const doubts = [...sources.doubts]
  const inputs: Record<string, string> = { ...sources.inputs }
  for (const name of sources.images) {
    const base = by.bases.get(name)
    if (base === undefined || 'doubt' in base)
      doubts.push(base?.doubt ?? `${name} was not asked for`)
    else inputs[`base ${name}`] = base.digest
  }
  for (const name of sources.parents) {
    const parent = by.parents.get(name)
    if (parent === undefined || 'doubts' in parent) doubts.push(`its parent ${name} is in doubt`)
    else inputs[`parent ${name}`] = parent.digest
  }
  inputs['platforms'] = platformsOf(sources.target, by).join(',')
  inputs['builder'] = `BuildKit ${by.builder.version}`
  inputs['form'] = formOf(by)
  inputs['key'] = SCHEMA
  if (doubts.length > 0) return { doubts }
  return { digest: sha256(Buffer.from(canonicalJson(inputs))), inputs }
}

/** What a target is built for: what was asked for, else what the bake file says, else what the builder is. */
export function platformsOf(
  target: BakeTarget,
  by: { readonly platforms: readonly string[]; readonly builder: Pick<Builder, 'platform'> },
): readonly string[] {
  if (by.platforms.length > 0) return by.platforms
  const named = listOf(target.resolved['platforms'])
  return named.length > 0 ? named : [by.builder.platform]
}

const SHOWN_CHANGES = 3

/** Why an image is built again, in words: what changed between the inputs of its last build and those of now. */
export function explainChange(before: InputKey['inputs'], now: InputKey['inputs']): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()
  const { Dockerfile: dockerfile } = now
  // A Dockerfile that changed is told once, though most contexts hold it as one of their files.
  const isTold = (name: string) =>
    dockerfile !== undefined &&
    dockerfile !== before['Dockerfile'] &&
    name.startsWith('file ') &&
    now[name]?.endsWith(dockerfile) === true
  const changes = names
    .filter((name) => before[name] !== now[name] && !isTold(name))
    .map((name) => {
      if (before[name] === undefined) return `${name} is new`
      if (now[name] === undefined) return `${name} is gone`
      return `${name} changed`
    })
  const shown = changes.slice(0, SHOWN_CHANGES).join(', ')
  const more = changes.length - SHOWN_CHANGES
  return more > 0 ? `${shown}, and ${more} more` : shown
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? value.map(String)
    : isObject(value)
      ? Object.values(value).map(String)
      : []
}
