import { listNamespace } from '../cluster/watch.ts'
import { at, listAt, textAt } from '../json.ts'
import { type Check, type CheckContext, fail, type Finding, pass } from './check.ts'

const TIMEOUT_S = 15

/** What a runtime image may have to resolve a name with; the first one that can be started is used. */
function resolvers(name: string): readonly (readonly string[])[] {
  return [
    ['python3', '-c', `import socket; print(socket.gethostbyname("${name}"))`],
    ['node', '-e', `require('dns').lookup('${name}',(e,a)=>{if(e)throw e;console.log(a)})`],
    ['getent', 'hosts', name],
  ]
}

/** From inside each caller, every Service it calls has an address: by short and by full name. */
export const dnsCheck: Check = {
  name: 'dns',
  look: async (context) => {
    const { pods } = await podsOf(context)
    const asked = Object.entries(context.plan.dns).flatMap(([caller, services]) =>
      services.flatMap((service) => namesOf(service, context).map((name) => ({ caller, name }))),
    )
    return await Promise.all(asked.map(({ caller, name }) => resolve(context, pods, caller, name)))
  },
}

function namesOf(service: string, { environment }: CheckContext): readonly string[] {
  return [service, `${service}.${environment.namespace}.svc.cluster.local`]
}

async function podsOf({
  environment,
  cluster,
}: CheckContext): Promise<{ pods: readonly unknown[] }> {
  const picture = await listNamespace({ namespace: environment.namespace }, cluster)
  const pods = picture.Pod.filter(
    (pod) =>
      textAt(pod, 'status', 'phase') === 'Running' &&
      textAt(pod, 'metadata', 'deletionTimestamp') === undefined,
  )
  return { pods }
}

async function resolve(
  { environment, cluster }: CheckContext,
  pods: readonly unknown[],
  ...[caller, name]: [string, string]
): Promise<Finding> {
  const title = `${caller} → ${name}`
  const pod = pods.find(
    (found) => textAt(found, 'metadata', 'labels', 'app.kubernetes.io/name') === caller,
  )
  if (pod === undefined) return fail(title, `no running pod of ${caller}`)
  const container = textAt(listAt(at(pod, 'spec'), 'containers')[0], 'name') ?? ''
  for (const argv of resolvers(name)) {
    const result = await cluster.exec({
      namespace: environment.namespace,
      pod: textAt(pod, 'metadata', 'name') ?? '',
      container,
      argv,
      timeoutSeconds: TIMEOUT_S,
    })
    if (result.status === 0) return pass(title, `${result.stdout.trim()} (by ${argv[0] ?? ''})`)
    if (isMissing(result)) continue
    return fail(title, (result.stderr.trim().split('\n').at(-1) ?? '') || result.message)
  }
  return {
    name: title,
    status: 'inconclusive',
    detail: 'its image has nothing to resolve names with',
  }
}

/** 126 and 127: not there or not executable; a runtime says the same in words. */
function isMissing(result: { readonly status: number; readonly message: string }): boolean {
  return (
    result.status === 127 || result.status === 126 || /not found|no such file/i.test(result.message)
  )
}
