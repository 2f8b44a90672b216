import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { kubectlArguments } from './cluster.ts'
import { run } from './command.ts'
import { ensureCertificate, ensureCredentials } from './credentials.ts'
import type { Certificate, Credentials } from './credentials.ts'
import { LabError } from './failure.ts'
import { toolPath } from './gotools.ts'
import { releasedTools } from './online.ts'
import { places, source } from './places.ts'
import { askWith, findWaiting } from './readiness.ts'
import { readLab } from './state.ts'

export interface Externals {
  /** The stack's own database image, by digest. */
  readonly databaseImage: string
  /** The stack's model server, by digest. */
  readonly modelImage: string
}

const NAMESPACE = 'todo-external'
const DATABASE_NAME = `postgres.${NAMESPACE}.svc.cluster.local`
const READY_SECONDS = 180
const owned = { 'app.kubernetes.io/managed-by': 'todo-deploy-lab' }

/** The environments of the demo and the node port that leads to each one's frontend. */
const environments = [
  { namespace: 'todo-app-dev', nodePort: 30080 },
  { namespace: 'todo-app-staging', nodePort: 30081 },
  { namespace: 'todo-app-prod', nodePort: 30082 },
] as const

/**
 * Plays what a user's own platform provides: a managed PostgreSQL with TLS, a model provider, the Secrets of staging and
 * production, and a way from outside to each frontend. Changes nothing when everything is there.
 */
export async function provideExternals(images: Externals): Promise<void> {
  const kubectl = kubectlArguments(
    readLab().way === 'online' ? await releasedTools('kubectl') : toolPath('kubectl'),
  )
  const credentials = ensureCredentials()
  const certificate = await ensureCertificate(DATABASE_NAME)
  const apply = (arguments_: readonly string[], input?: string): Promise<string> =>
    run(
      [
        ...kubectl,
        'apply',
        '--server-side',
        '--force-conflicts',
        '--field-manager=todo-deploy-lab',
        ...arguments_,
      ],
      {
        ...(input === undefined ? {} : { input }),
        log: 'external.log',
      },
    )
  const objects = [
    ...namespaces(),
    databaseSecret(credentials, certificate),
    ...applicationSecrets(credentials),
    ...doors(),
  ]
  await apply(
    ['--filename', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  )
  await apply(['--kustomize', writeKustomization(images)])
  for (const workload of ['statefulset/postgres', 'deployment/model']) {
    const rollout = [
      ...kubectl,
      '--namespace',
      NAMESPACE,
      'rollout',
      'status',
      workload,
      `--timeout=${READY_SECONDS}s`,
    ]
    await run(rollout, { timeoutSeconds: READY_SECONDS + 10 }).catch(async (failure: unknown) => {
      throw new LabError(
        `${workload} in ${NAMESPACE} did not become ready: ${await findWaiting(askWith(kubectl), NAMESPACE)}`,
        { cause: failure },
      )
    })
  }
}

// kustomize puts the images in, by digest; its folder must be relative to the one of the manifests.
function writeKustomization({ databaseImage, modelImage }: Externals): string {
  const folder = join(places.work, 'external')
  mkdirSync(folder, { recursive: true })
  const images = [imageEntry('database', databaseImage), imageEntry('local-model', modelImage)]
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(folder, join(source, 'external'))],
    images,
  }
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
  return folder
}

export function imageEntry(
  name: string,
  reference: string,
): { name: string; newName: string; digest: string } {
  const [newName, digest] = reference.split('@')
  if (newName === undefined || !/^sha256:[0-9a-f]{64}$/.test(digest ?? '') || digest === undefined)
    throw new LabError(`${reference} must name an image by digest: NAME@sha256:…`)
  return { name, newName: newName.replace(/:[^/:]+$/, ''), digest }
}

interface Named {
  readonly apiVersion: 'v1'
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels: Readonly<Record<string, string>>
  }
}

function namespaces(): Named[] {
  const names = [NAMESPACE, ...environments.map(({ namespace }) => namespace)]
  return names.map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: owned },
  }))
}

function secret(
  namespace: string,
  name: string,
  stringData: Readonly<Record<string, string>>,
): Named & { stringData: object } {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: owned },
    stringData,
  }
}

function databaseSecret(
  { productionDatabase }: Credentials,
  { certificate, key }: Certificate,
): Named {
  return secret(NAMESPACE, 'postgres', {
    POSTGRES_PASSWORD: productionDatabase,
    'tls.crt': certificate,
    'tls.key': key,
  })
}

/** The Secret that the workloads of staging and production read; development brings its own. */
export function applicationSecrets(credentials: Credentials): Named[] {
  const { stagingDatabase, productionDatabase, model } = credentials
  return [
    secret('todo-app-staging', 'todo-secrets', {
      DATABASE_URL: `postgresql://todo:${stagingDatabase}@postgresql-service:5432/todo`,
      POSTGRES_PASSWORD: stagingDatabase,
      AUTH_SECRET: credentials.stagingSigning,
      OPENAI_API_KEY: model,
    }),
    secret('todo-app-prod', 'todo-secrets', {
      DATABASE_URL: `postgresql://todo_production:${productionDatabase}@${DATABASE_NAME}:5432/todo_production?sslmode=require`,
      POSTGRES_PASSWORD: productionDatabase,
      AUTH_SECRET: credentials.productionSigning,
      OPENAI_API_KEY: model,
    }),
  ]
}

function doors(): Named[] {
  return environments.map(({ namespace, nodePort }) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'lab-frontend', namespace, labels: owned },
    spec: {
      type: 'NodePort',
      selector: { 'app.kubernetes.io/name': 'frontend' },
      ports: [{ name: 'http', port: 3000, targetPort: 3000, nodePort }],
    },
  }))
}
