import { type Cluster, reasonOf } from '../cluster/cluster.ts'
import { UserError } from '../errors.ts'
import { textAt } from '../json.ts'
import { type Check, type CheckContext, fail, pass } from './check.ts'
import { deployedName } from './secretname.ts'

const POD_TIMEOUT_MS = 60_000
const LOOK_AGAIN_MS = 500
const LOGIN_FOLDER = '/run/secrets/login'
const SERVICE_FILE = 'pg_service.conf'
const MARK = 'todo-deploy-wrote-and-read'
/** Writes and reads in one transaction that is taken back: the user's data is as before. */
const SQL = [
  'BEGIN;',
  'CREATE TABLE todo_deploy_verify (mark text);',
  `INSERT INTO todo_deploy_verify VALUES ('${MARK}');`,
  'SELECT mark FROM todo_deploy_verify;',
  'ROLLBACK;',
].join(' ')
/** The application's own database takes a write and gives it back, asked from inside its namespace. */
export const databaseCheck: Check = {
  name: 'database',
  look: async (context) => {
    const { plan, environment, cluster, world } = context
    if (plan.database === undefined) return []
    const name = `todo-deploy-verify-${world.clock.now().getTime().toString(36)}`
    const place = `/api/v1/namespaces/${environment.namespace}`
    const folder = `${place}/pods`
    const secret = await deployedName(plan.database.secret, environment.namespace, cluster)
    const login = await readLogin({ ...plan.database, secret }, place, cluster)
    try {
      await create(`${place}/secrets`, loginSecret(name, login), cluster)
      await create(folder, probePod(name, context), cluster)
      const phase = await waitForEnd(`${folder}/${name}`, cluster, context)
      const log = await cluster.call({ method: 'GET', path: `${folder}/${name}/log` })
      const said = log.text.trim()
      return phase === 'Succeeded' && said.includes(MARK)
        ? [pass('write and read', 'a row was written, read and taken back')]
        : [fail('write and read', said.split('\n').at(-1)?.slice(0, 200) ?? phase)]
    } finally {
      await cluster.call({ method: 'DELETE', path: `${folder}/${name}?gracePeriodSeconds=0` })
      await cluster.call({ method: 'DELETE', path: `${place}/secrets/${name}` })
    }
  },
}

/** The connection URL as a service file of libpq: as one text it would need a place in an argument list. */
async function readLogin(
  database: NonNullable<CheckContext['plan']['database']>,
  place: string,
  cluster: Cluster,
): Promise<string> {
  const path = `${place}/secrets/${database.secret}`
  const secret = await cluster.call({ method: 'GET', path })
  const encoded = textAt(secret.body, 'data', database.key)
  if (encoded === undefined)
    throw new UserError(`The Secret ${database.secret} has no ${database.key}: ${reasonOf(secret)}`)
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  if (!URL.canParse(text)) throw new UserError(`${database.secret}/${database.key} is not a URL`)
  const url = new URL(text)
  const decode = (part: string) => decodeURIComponent(part)
  const settings = {
    host: url.hostname,
    port: url.port || '5432',
    user: decode(url.username),
    password: decode(url.password),
    dbname: decode(url.pathname.slice(1)),
    sslmode: url.searchParams.get('sslmode') ?? 'prefer',
    connect_timeout: '10',
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  return ['[verify]', ...lines, ''].join('\n')
}

function loginSecret(name: string, login: string): unknown {
  const labels = { 'app.kubernetes.io/managed-by': 'todo-deploy' }
  const stringData = { [SERVICE_FILE]: login }
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, labels }, stringData }
}

async function create(path: string, body: unknown, cluster: Cluster): Promise<void> {
  const made = await cluster.call({ method: 'POST', path, body })
  if (made.status >= 300) throw new UserError(`The probe was refused: ${reasonOf(made)}`)
}

async function waitForEnd(
  path: string,
  cluster: Cluster,
  { world }: CheckContext,
): Promise<string> {
  const deadline = world.clock.now().getTime() + POD_TIMEOUT_MS
  while (world.clock.now().getTime() < deadline) {
    const pod = await cluster.call({ method: 'GET', path })
    const phase = textAt(pod.body, 'status', 'phase') ?? ''
    if (phase === 'Succeeded' || phase === 'Failed') return phase
    await world.clock.sleep(LOOK_AGAIN_MS, world.signal)
  }
  throw new UserError(`The probe pod did not end within ${POD_TIMEOUT_MS / 1000} s`)
}

/** A short-lived pod of the release's own image that fits the "restricted" Pod Security profile. */
function probePod(name: string, { plan, release, environment }: CheckContext): unknown {
  const image = release.images.images[plan.database?.image ?? '']
  if (image === undefined || plan.database === undefined)
    throw new UserError(`The release has no image "${plan.database?.image ?? ''}" to look with`)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: environment.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'todo-deploy', 'app.kubernetes.io/name': 'verify' },
    },
    spec: {
      restartPolicy: 'Never',
      activeDeadlineSeconds: POD_TIMEOUT_MS / 1000,
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 10001,
        runAsGroup: 10001,
        fsGroup: 10001,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'verify',
          image: image.reference,
          command: ['psql', '-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', SQL],
          // A file, not a variable: what a process was started with can be read by others for as long as it runs.
          env: [
            { name: 'PGSERVICEFILE', value: `${LOGIN_FOLDER}/${SERVICE_FILE}` },
            { name: 'PGSERVICE', value: 'verify' },
          ],
          volumeMounts: [{ name: 'login', mountPath: LOGIN_FOLDER, readOnly: true }],
          resources: {
            requests: { cpu: '10m', memory: '32Mi' },
            limits: { cpu: '500m', memory: '128Mi' },
          },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
      volumes: [{ name: 'login', secret: { secretName: name, defaultMode: 0o440 } }],
    },
  }
}
