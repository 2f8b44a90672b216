import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { refuse, UserError } from '../../errors.ts'
import { canonicalJson, isObject, parseJson, textAt } from '../../json.ts'
import { type KubeObject, nameOf } from '../../render/manifest.ts'
import { splitWaves } from '../../render/waves.ts'
import type { World } from '../../world.ts'
import { toYaml } from '../../yaml.ts'
import { type GitRepository, openBranch } from './gitbranch.ts'

export type GitTarget = GitRepository & {
  /** Folder of the branch that is ours alone. */
  readonly path: string
  /** Whether Secrets may be committed as they are. */
  readonly withSecrets: boolean
}

export type Committed = {
  /** The commit that holds the release; that of the branch where nothing had to change. */
  readonly commit: string
  readonly files: readonly { readonly name: string; readonly action: Action }[]
}

type Action = 'create' | 'update' | 'delete'

/** Says that a folder is ours, and for which release: without it, files in the folder belong to somebody. */
const MARK = 'todo-deploy.json'
/** Argo CD writes lower numbers first, and waits for each; Flux does not look at it. */
const SYNC_WAVE = 'argocd.argoproj.io/sync-wave'
/** Somebody else pushes to the branch, too: so often the release is put on top of that. */
const ROUNDS = 5

/**
 * Commits the rendered release, a file for each object, for Argo CD or Flux to apply. Nothing changed: no commit. Throws `UserError`
 * where Secrets would be committed in plain or the folder is not ours; then nothing was pushed.
 */
export async function commitRelease(
  release: {
    readonly identity: string
    readonly environment: string
    readonly objects: readonly KubeObject[]
  },
  target: GitTarget,
  world: World,
): Promise<Committed> {
  requireFolder(target.path)
  if (!target.withSecrets) refuseSecrets(release.objects)
  const files = filesOf(release)
  for (let round = 1; ; round += 1) {
    const branch = await openBranch(target, join(world.workspace, `gitops-${round}`), world)
    const folder = join(branch.folder, target.path)
    const before = await readOwnFolder(folder, target)
    const changed = differing(before, files)
    if (changed.length === 0) return { commit: await branch.head(), files: [] }
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    for (const [name, content] of files) await writeFile(join(folder, name), content)
    const title = `Deploy to ${release.environment}: ${shortOf(release.identity)}`
    const commit = await branch.commit(`${title}\n\nrelease: ${release.identity}\n`)
    const pushed = await branch.push()
    if (pushed === undefined) return { commit, files: changed }
    if (!pushed.isOvertaken || round === ROUNDS)
      throw new UserError(
        `${target.repository} does not take the commit on ${target.branch}: ${pushed.reason}`,
      )
    world.progress.say(`Somebody else has pushed to ${target.branch}; the release goes on top`)
  }
}

/** The files of a release: objects in the order of a deploy, a kustomization that names them, and the mark. */
export function filesOf(release: {
  readonly identity: string
  readonly environment: string
  readonly objects: readonly KubeObject[]
}): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  splitWaves(release.objects).forEach(({ objects }, wave) => {
    for (const object of objects) {
      const plain = `${object.kind.toLowerCase()}-${object.metadata.name.replaceAll(':', '-')}`
      const place = object.metadata.namespace ?? 'cluster'
      const name = files.has(`${plain}.yaml`) ? `${plain}-${place}.yaml` : `${plain}.yaml`
      files.set(name, yamlOf(withWave(object, wave)))
    }
  })
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [...files.keys()].toSorted(),
  }
  const { identity, environment } = release
  const mark = { version: 1, environment, release: identity }
  files.set('kustomization.yaml', yamlOf(kustomization))
  files.set(MARK, `${JSON.stringify(mark, null, 2)}\n`)
  return files
}

function withWave(object: KubeObject, wave: number): KubeObject {
  const annotations = { [SYNC_WAVE]: String(wave), ...object.metadata.annotations }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/** Sorted and unfolded: a change of one value is a change of one line. */
function yamlOf(value: unknown): string {
  return toYaml(JSON.parse(canonicalJson(value)))
}

/** The whole folder is replaced, so it must be one. */
function requireFolder(path: string): void {
  const parts = path.split('/')
  const isFolder =
    path !== '' && parts.every((part) => part !== '' && !/^\.\.?$|^\.git$/.test(part))
  if (!isFolder)
    throw new UserError(
      `gitops-path is "${path}"; it has to be a folder below the top of the repository, such as clusters/production/todo`,
    )
}

function refuseSecrets(objects: readonly KubeObject[]): void {
  const plain = objects.filter(
    (object) =>
      object.kind === 'Secret' &&
      ['data', 'stringData'].some((key) => Object.keys(entriesOf(object[key])).length > 0),
  )
  if (plain.length === 0) return
  refuse(
    'Git keeps for ever what it is given, and this release has Secrets in plain: take them from a store (ExternalSecret), seal them, or allow it with gitops-secrets: true',
    plain.map(nameOf),
  )
}

function entriesOf(data: unknown): Readonly<Record<string, unknown>> {
  return isObject(data) ? data : {}
}

/** What the folder holds by now; files that nobody of us has written are not overwritten. */
async function readOwnFolder(
  folder: string,
  { path, branch }: GitTarget,
): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder).catch(() => [])
  if (names.length === 0) return new Map()
  const mark = await readFile(join(folder, MARK), 'utf8').catch(() => undefined)
  if (mark === undefined || textAt(parseJson(mark, `${path}/${MARK}`), 'release') === undefined)
    throw new UserError(
      `The folder ${path} of ${branch} holds files that no deploy has written; give an empty folder as gitops-path, or remove them`,
      names,
    )
  const contents = await Promise.all(
    names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
  ).catch((cause: unknown) => {
    throw new UserError(`The folder ${path} of ${branch} has folders in it; remove them`, names, {
      cause,
    })
  })
  return new Map(contents)
}

function differing(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Committed['files'] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  return names.flatMap((name): { readonly name: string; readonly action: Action }[] => {
    const [old, now] = [before.get(name), after.get(name)]
    if (old === now) return []
    return [
      { name, action: old === undefined ? 'create' : now === undefined ? 'delete' : 'update' },
    ]
  })
}

function shortOf(identity: string): string {
  return identity.replace(/@sha256:([0-9a-f]{12})[0-9a-f]+$/, '@$1')
}
