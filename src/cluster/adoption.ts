import type { KubeObject } from '../render/manifest.ts'
import type { Answer, Cluster } from './cluster.ts'
import { afterTakeOver } from './ownership.ts'

/** What stays when the fields of earlier tools are ours and those that nobody wants are gone: tried by a patch, for the server fills in defaults. */
export async function stateAfterTakeOver(
  tried: Answer,
  what: { readonly wanted: KubeObject; readonly live: unknown; readonly path: string },
  cluster: Cluster,
): Promise<unknown> {
  const left = afterTakeOver(tried.body, what.wanted, what.live)
  const {
    apiVersion: _version,
    kind: _kind,
    metadata,
    status: _status,
    ...rest
  } = left as Record<string, unknown>
  const { labels, annotations } = metadata as Record<string, unknown>
  const parts = Object.entries({
    ...rest,
    'metadata/labels': labels ?? {},
    'metadata/annotations': annotations ?? {},
  })
  const body = parts.map(([key, value]) => ({ op: 'add', path: `/${key}`, value }))
  const answer = await cluster.call({
    method: 'PATCH',
    path: `${what.path}?dryRun=All&fieldManager=todo-deploy-takeover`,
    contentType: 'application/json-patch+json',
    body,
  })
  return answer.status < 300 ? answer.body : left
}
