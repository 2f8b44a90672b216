import { canonicalJson } from '../json.ts'
import type { Answer, Cluster } from './cluster.ts'

/**
 * The same cluster, asked for the same thing once: for a plan, which is made of one look at it. So whoever expects a question can ask it
 * early. Only for what changes nothing: reads, reviews of rights and dry runs.
 */
export function lookOnce(cluster: Cluster): Cluster {
  const known = new Map<string, Promise<Answer>>()
  return {
    ...cluster,
    call: (request) => {
      const question = canonicalJson(request)
      const answer = known.get(question) ?? cluster.call(request)
      known.set(question, answer)
      return answer
    },
  }
}
