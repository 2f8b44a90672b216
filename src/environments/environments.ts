import { messageOf, refuse, UserError } from '../errors.ts'
import type { Files } from '../release/archive.ts'
import { parseYaml } from '../yaml.ts'
import { faultsOfFile } from './check.ts'
import { faultsOfStrategy, type RawStrategy, readStrategy, type Strategy } from './strategy.ts'

/** How the checks of `verify` reach the application. Ports are those of the Services. */
export type VerifyPlan = {
  readonly http: readonly {
    readonly name: string
    readonly service: string
    readonly port: number
    readonly path: string
  }[]
  readonly mcp?: {
    readonly service: string
    readonly port: number
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly tools: readonly string[]
    readonly call: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }
  }
  readonly database?: {
    /** The image of the set that has `psql`. */
    readonly image: string
    readonly secret: string
    readonly key: string
  }
  /** Caller workload (the `app.kubernetes.io/name` of its pods) → Services it must be able to resolve. */
  readonly dns: Readonly<Record<string, readonly string[]>>
}

/** A Helm chart below the manifest tree, and its values files, later ones over earlier ones. */
export type Chart = { readonly path: string; readonly values: readonly string[] }

export type Environment = {
  readonly name: string
  /** Path of the overlay below the manifest tree; empty where a chart takes its place. */
  readonly overlay: string
  readonly chart?: Chart
  readonly namespace: string
  readonly components: readonly string[]
  /** Where people open it, or an empty text. */
  readonly url: string
  /** The environment whose passing verdict it needs, or undefined for the first. */
  readonly after: string | undefined
  readonly preview: boolean
  /** Put before every Ingress host, so that previews do not take each other's; empty elsewhere. */
  readonly hostPrefix: string
  /** How pods are replaced. */
  readonly strategy: Strategy
}

export type Environments = {
  readonly application: string
  /** In the order of promotion; preview environments last. */
  readonly list: readonly Environment[]
  readonly verify: VerifyPlan
}

export const ENVIRONMENTS_FILE = 'environments.yaml'

type Raw = {
  readonly application: string
  readonly environments: Readonly<
    Record<
      string,
      {
        readonly overlay?: string
        readonly chart?: { readonly path: string; readonly values?: readonly string[] }
        readonly namespace: string
        readonly components?: readonly string[]
        readonly url?: string
        readonly after?: string
        readonly preview?: boolean
        readonly strategy?: RawStrategy
      }
    >
  >
  readonly verify?: Partial<VerifyPlan>
}

/** Reads `environments.yaml` out of a manifest tree. All faults are reported at once, by path. */
export function readEnvironments(manifests: Files): Environments {
  const text = manifests.get(ENVIRONMENTS_FILE)
  if (text === undefined)
    throw new UserError(
      `The manifest tree has no ${ENVIRONMENTS_FILE}; it names the environments and their overlays`,
    )
  return parseEnvironments(text.toString())
}

export function parseEnvironments(text: string): Environments {
  let data: unknown
  try {
    data = parseYaml(text)
  } catch (error) {
    throw new UserError(`${ENVIRONMENTS_FILE} is not valid YAML`, [messageOf(error)], {
      cause: error,
    })
  }
  const faults = faultsOfFile(data)
  if (faults.length > 0)
    refuse(
      ENVIRONMENTS_FILE,
      faults
        // It only says that one of the others is there.
        .filter(({ keyword }) => keyword !== 'if')
        .map(
          (error) => `${error.instancePath || '/'} ${error.message ?? ''} ${detail(error.params)}`,
        ),
    )
  const raw = data as Raw
  const list = Object.entries(raw.environments).map(([name, value]) => ({
    name,
    overlay: value.overlay ?? '',
    ...(value.chart === undefined ? {} : { chart: { values: [], ...value.chart } }),
    namespace: value.namespace,
    components: value.components ?? [],
    url: value.url ?? '',
    after: value.after,
    preview: value.preview ?? false,
    hostPrefix: '',
    strategy: readStrategy(value.strategy),
  }))
  const problems = [
    ...checkOrder(list),
    ...Object.entries(raw.environments).flatMap(([name, { strategy }]) =>
      faultsOfStrategy(strategy).map((fault) => `${name}: ${fault}`),
    ),
  ]
  if (problems.length > 0) refuse(ENVIRONMENTS_FILE, problems)
  const verify = { http: [], dns: {}, ...raw.verify }
  return { application: raw.application, list: sortByPromotion(list), verify }
}

/** The environment of that name, or a `UserError` that lists those there are. */
export function findEnvironment(environments: Environments, name: string): Environment {
  const found = environments.list.find((environment) => environment.name === name)
  if (found !== undefined) return found
  const known = environments.list.map((environment) => environment.name).join(', ')
  throw new UserError(`There is no environment "${name}"; ${ENVIRONMENTS_FILE} has ${known}`)
}

/** A preview environment of one name: its own namespace, nothing else differs. */
export function previewEnvironment(environments: Environments, name: string): Environment {
  const template = environments.list.find((environment) => environment.preview)
  if (template === undefined)
    throw new UserError(
      `${ENVIRONMENTS_FILE} has no preview environment; add one with "preview: true"`,
    )
  const namespace = template.namespace.replace('{name}', name)
  return { ...template, namespace, hostPrefix: `${name}.` }
}

function detail(params: Readonly<Record<string, unknown>>): string {
  const extra = params['additionalProperty'] ?? params['allowedValues']
  return extra === undefined ? '' : `(${JSON.stringify(extra)})`
}

function checkOrder(list: readonly Environment[]): string[] {
  const names = new Set(list.map((environment) => environment.name))
  return list.flatMap((environment) => {
    const { name, after, preview, namespace } = environment
    const problems: string[] = []
    if (after !== undefined && !names.has(after))
      problems.push(`${name}: "after: ${after}" names no environment`)
    if (after === name) problems.push(`${name}: an environment can't come after itself`)
    if (preview !== namespace.includes('{name}'))
      problems.push(`${name}: {name} belongs in the namespace of a preview environment, only there`)
    return problems
  })
}

function sortByPromotion(list: readonly Environment[]): readonly Environment[] {
  const depth = (environment: Environment, seen: readonly string[] = []): number => {
    if (environment.after === undefined) return 0
    if (seen.includes(environment.name))
      throw new UserError(`${ENVIRONMENTS_FILE}: "after" goes in a circle at ${environment.name}`)
    const before = list.find((other) => other.name === environment.after)
    return before === undefined ? 0 : 1 + depth(before, [...seen, environment.name])
  }
  const rank = (environment: Environment) => (environment.preview ? 1000 : depth(environment))
  return [...list].sort((a, b) => rank(a) - rank(b))
}
