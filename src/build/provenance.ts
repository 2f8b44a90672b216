import type { Statement, Subject } from '../signing/statement.ts'
import { PREDICATES } from '../signing/howtoverify.ts'
import { hideUserinfo } from '../userinfo.ts'
import type { KeyOfTarget } from './inputkey.ts'

/** SLSA provenance, version 1 (slsa.dev/spec/v1.1/provenance). */
export const PROVENANCE = PREDICATES.provenance
const BUILD_TYPE = 'https://todo-deploy.dev/build/bake/v1'

/** Who built, from what, when: the same for all images of a run. */
export type BuildRun = {
  /** Names the machine that built, as far as others may rely on it: the workflow on GitHub. */
  readonly builder: string
  /** Address of this run, or its name where it has none. */
  readonly run: string
  /** Where the sources are, such as `https://github.com/acme/todo`, or empty. */
  readonly source: string
  /** The commit, or empty. */
  readonly revision: string
  readonly started: Date
  readonly finished: Date
}

/** What is said about how one image came to be. Values of arguments are not in it, their digests are. */
export function provenanceOf(
  image: { readonly subject: Subject; readonly target: string; readonly bakeFile: string },
  from: {
    readonly key: KeyOfTarget
    /** One for each platform, in the order of the index: later runs read them by it. */
    readonly sboms: readonly { readonly platform: string; readonly sha256: string }[]
  },
  run: BuildRun,
): Statement {
  const inputs = 'doubts' in from.key ? {} : from.key.inputs
  const bases = Object.entries(inputs).flatMap(([name, digest]) =>
    name.startsWith('base ') ? [{ uri: imageUri(name.slice('base '.length)), digest }] : [],
  )
  const commit =
    run.revision === ''
      ? []
      : [{ uri: `git+${hideUserinfo(run.source)}`, digest: { gitCommit: run.revision } }]
  return {
    subjects: [image.subject],
    predicateType: PROVENANCE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { bakeFile: hideUserinfo(image.bakeFile), target: image.target },
        internalParameters:
          'doubts' in from.key
            ? { doubts: from.key.doubts.map(hideUserinfo) }
            : { inputKey: from.key.digest, inputs },
        resolvedDependencies: [
          ...bases.map(({ uri, digest }) => ({ uri, digest: sha256Of(digest) })),
          ...commit,
        ],
      },
      runDetails: {
        builder: { id: run.builder },
        metadata: {
          invocationId: run.run,
          startedOn: run.started.toISOString(),
          finishedOn: run.finished.toISOString(),
        },
        byproducts: from.sboms.map(({ platform, sha256 }) => ({
          name: 'sbom.syft.json',
          digest: sha256Of(sha256),
          ...(platform === '' ? {} : { annotations: { platform } }),
        })),
      },
    },
  }
}

/** A package URL for an image, as in-toto statements name them. */
function imageUri(name: string): string {
  const [path = '', tag] = (name.split('@')[0] ?? name).split(/:(?=[^/]+$)/)
  return `pkg:docker/${path}${tag === undefined ? '' : `@${tag}`}`
}

function sha256Of(digest: string): { readonly sha256: string } {
  return { sha256: digest.replace(/^sha256:/, '') }
}
