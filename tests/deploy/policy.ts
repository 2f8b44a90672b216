import { secondsUntil } from '../stack/docker.ts'
import type { Stage } from './failures/stage.ts'

const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const BINDINGS = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'

/** What the policy denies: Deployments and pods with this annotation. */
export const DENIED = { deny: 'policy' }

/** A ValidatingAdmissionPolicy for the namespace of a stage, which the API server judges by itself. Returns what takes it away. */
export async function openPolicy({ cluster, namespace }: Stage): Promise<() => Promise<void>> {
  const write = async (path: string, body: unknown): Promise<void> => {
    const answer = await cluster.call({ method: 'POST', path, body })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`)
  }
  const operations = { apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'] }
  const annotations = 'object.metadata.?annotations'
  await write(POLICIES, {
    metadata: { name: namespace },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [
          { ...operations, apiGroups: ['apps'], resources: ['deployments'] },
          { ...operations, apiGroups: [''], resources: ['pods'] },
        ],
      },
      validations: [
        {
          expression: `${annotations}[?'deny'].orValue('') != '${DENIED.deny}'`,
          message: 'not on a Sunday',
        },
      ],
    },
  })
  await write(BINDINGS, {
    metadata: { name: namespace },
    spec: { policyName: namespace, validationActions: ['Deny'] },
  })
  const pod = {
    metadata: { name: 'denied', annotations: DENIED },
    spec: { containers: [{ name: 'denied', image: 'denied' }] },
  }
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`
  await secondsUntil(async () => {
    const answer = await cluster.call({ method: 'POST', path, body: pod })
    return answer.text.includes('not on a Sunday')
  }, 60)
  return async () => {
    for (const one of [BINDINGS, POLICIES])
      await cluster.call({ method: 'DELETE', path: `${one}/${namespace}` })
  }
}
