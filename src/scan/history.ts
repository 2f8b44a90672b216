import { at, isObject, listAt, parseJson, textAt } from '../json.ts'

/** One instruction that an image was made by, of its own Dockerfile or of one that its base was made by. */
export type HistoryEntry = {
  /** As the builder wrote it down, such as `RUN /bin/sh -c make # buildkit`. */
  readonly createdBy: string
  /** The layer it made, by the digest of its files; undefined where it changed settings only. */
  readonly layer: string | undefined
}

/** Reads the history of the image out of grype's report; empty where the report has none. */
export function parseHistory(report: unknown): readonly HistoryEntry[] {
  const encoded = textAt(report, 'source', 'target', 'config') ?? ''
  if (encoded === '') return []
  const config = parseJson(Buffer.from(encoded, 'base64').toString(), 'the image configuration')
  const layers = listAt(config, 'rootfs', 'diff_ids').map(String)
  let next = 0
  return listAt(config, 'history').map((entry) => {
    const isEmpty = isObject(entry) && at(entry, 'empty_layer') === true
    const layer = isEmpty ? undefined : layers[next]
    if (!isEmpty) next += 1
    return { createdBy: textAt(entry, 'created_by') ?? '', layer }
  })
}
