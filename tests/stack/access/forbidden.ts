import type { Request } from '../../../src/cluster/cluster.ts'
import { IDENTITIES, PREFIX } from './stage.ts'

const HERE = `${PREFIX}dev`
const home = `/api/v1/namespaces/${HERE}`
const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${HERE}`
const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }
const named = (kind: string, name: string, more: object = {}) => ({
  ...{ apiVersion: 'v1', kind, metadata: { name }, ...more },
})

/** What somebody who stole the deployer's login would try next. Nothing of it may be allowed. */
export const forbidden: readonly (Pick<Request, 'method' | 'path' | 'body'> & {
  readonly name: string
})[] = [
  {
    name: 'read Secrets of another namespace',
    method: 'GET',
    path: '/api/v1/namespaces/kube-system/secrets',
  },
  { name: 'read all Secrets', method: 'GET', path: '/api/v1/secrets' },
  {
    name: 'make a namespace',
    method: 'POST',
    path: '/api/v1/namespaces',
    body: named('Namespace', `${PREFIX}other`),
  },
  { name: 'remove its namespace', method: 'DELETE', path: home },
  {
    name: 'lift Pod Security',
    method: 'PATCH',
    path: home,
    body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } },
  },
  {
    name: 'give itself more rights',
    method: 'PATCH',
    path: `${rbac}/roles/deployer-dev`,
    body: { rules: [everything] },
  },
  {
    name: 'make a Role',
    method: 'POST',
    path: `${rbac}/roles`,
    body: {
      ...named('Role', 'all', { rules: [everything] }),
      apiVersion: 'rbac.authorization.k8s.io/v1',
    },
  },
  {
    name: 'bind itself to a role',
    method: 'POST',
    path: `${rbac}/rolebindings`,
    body: {
      ...named('RoleBinding', 'all'),
      apiVersion: 'rbac.authorization.k8s.io/v1',
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'cluster-admin',
      },
      subjects: [{ kind: 'ServiceAccount', name: 'deployer-dev', namespace: IDENTITIES }],
    },
  },
  {
    name: 'speak for a service account of its namespace',
    method: 'POST',
    path: `${home}/serviceaccounts/backend/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  },
  {
    name: 'speak for the verifier',
    method: 'POST',
    path: `/api/v1/namespaces/${IDENTITIES}/serviceaccounts/verifier-dev/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  },
  { name: 'run commands in a pod', method: 'POST', path: `${home}/pods/postgresql-0/exec` },
  { name: 'open a way to a pod', method: 'POST', path: `${home}/pods/postgresql-0/portforward` },
  {
    name: 'make a pod that no workload owns',
    method: 'POST',
    path: `${home}/pods`,
    body: named('Pod', 'loose', { spec: { containers: [{ name: 'a', image: 'a' }] } }),
  },
  {
    name: 'remove the volume of the database',
    method: 'DELETE',
    path: `${home}/persistentvolumeclaims/data-postgresql-0`,
  },
  { name: 'look at nodes', method: 'GET', path: '/api/v1/nodes' },
  {
    name: 'run on a node of its choice',
    method: 'PATCH',
    path: '/api/v1/nodes/any',
    body: { spec: { unschedulable: true } },
  },
]
