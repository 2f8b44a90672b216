import { makeCertificate } from '../stack/certificate.ts'
import { secondsUntil } from '../stack/docker.ts'
import type { Stage } from './failures/stage.ts'

const NAME = 'webhook'
/** Denies Deployments with the annotation `deny`: `always`, or `for-real` only where it is no dry run. */
const SCRIPT = `
const { readFileSync } = require('node:fs')
const tls = { cert: readFileSync('/tls/tls.crt'), key: readFileSync('/tls/tls.key') }
require('node:https').createServer(tls, async (request, response) => {
  let text = ''
  for await (const chunk of request) text += chunk
  const { request: asked = {} } = JSON.parse(text || '{}')
  const deny = asked.object?.metadata?.annotations?.deny
  const allowed = !(deny === 'always' || (deny === 'for-real' && asked.dryRun !== true))
  const answer = { uid: asked.uid, allowed, status: { message: 'not on a Saturday' } }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }))
}).listen(8443)
process.on('SIGTERM', () => process.exit(0))
`

const DENIED = {
  metadata: { name: 'denied', annotations: { deny: 'always' } },
  spec: {
    selector: { matchLabels: { app: 'denied' } },
    template: {
      metadata: { labels: { app: 'denied' } },
      spec: { containers: [{ name: 'denied', image: 'denied' }] },
    },
  },
}

/** A real admission webhook for the namespace of a stage. Returns what takes it away. */
export async function openWebhook(
  { cluster, namespace }: Stage,
  image: string,
): Promise<() => Promise<void>> {
  const write = async (path: string, body: unknown): Promise<void> => {
    const answer = await cluster.call({ method: 'POST', path, body })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`)
  }
  const { certificate, key } = makeCertificate(`${NAME}.${namespace}.svc`)
  const inNamespace = (group: string, plural: string) =>
    `${group}/namespaces/${namespace}/${plural}`
  const metadata = { name: NAME, labels: { app: NAME } }
  await write(inNamespace('/api/v1', 'secrets'), {
    ...{ metadata, stringData: { 'tls.crt': certificate, 'tls.key': key } },
  })
  await write(inNamespace('/api/v1', 'services'), {
    ...{ metadata, spec: { selector: { app: NAME }, ports: [{ port: 443, targetPort: 8443 }] } },
  })
  await write(inNamespace('/api/v1', 'pods'), {
    metadata,
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          ...{ name: NAME, image, command: ['node', '-e', SCRIPT] },
          readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
          volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
        },
      ],
      volumes: [{ name: 'tls', secret: { secretName: NAME } }],
    },
  })
  const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
  await write(configurations, configurationOf(namespace, certificate))
  const path = `${inNamespace('/apis/apps/v1', 'deployments')}?dryRun=All`
  await secondsUntil(async () => {
    const answer = await cluster.call({ method: 'POST', path, body: DENIED })
    return answer.text.includes('not on a Saturday')
  }, 60)
  return async () => {
    await cluster.call({ method: 'DELETE', path: `${configurations}/${namespace}` })
  }
}

function configurationOf(namespace: string, certificate: string): unknown {
  return {
    metadata: { name: namespace },
    webhooks: [
      {
        name: 'calendar.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 5,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [
          {
            ...{ apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] },
            operations: ['CREATE', 'UPDATE'],
          },
        ],
        clientConfig: {
          service: { namespace, name: NAME },
          caBundle: Buffer.from(certificate).toString('base64'),
        },
      },
    ],
  }
}
