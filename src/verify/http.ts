import { reasonOf } from '../cluster/cluster.ts'
import { type Check, fail, pass, serviceProxy } from './check.ts'

const TIMEOUT_S = 10

/** Each service answers 200 on its health path, asked through its Service. */
export const httpCheck: Check = {
  name: 'http',
  look: ({ plan, environment, cluster }) =>
    Promise.all(
      plan.http.map(async (target) => {
        const path = serviceProxy(environment.namespace, target)
        const answer = await cluster.call({ method: 'GET', path, timeoutSeconds: TIMEOUT_S })
        const asked = `${target.service}:${target.port}${target.path}`
        return answer.status === 200
          ? pass(target.name, `${asked} answered 200`)
          : fail(target.name, `${asked} answered ${answer.status}: ${reasonOf(answer)}`)
      }),
    ),
}
