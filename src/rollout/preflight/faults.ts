import type { KubeObject } from '../../render/manifest.ts'
import { phaseProblems } from '../../render/migration.ts'
import { digestProblems, WITHOUT_DIGEST } from '../../render/render.ts'
import { orderProblems } from '../../render/waves.ts'
import { type Lint, lintObjects } from './lint.ts'
import { group, type Group } from './refusal.ts'

const UNCLEAR = "The manifests ask for an order that can't be followed"
const LOSSY = 'A rollout of these manifests may lose requests'

/** What is wrong with manifests wherever they go: it can be said without a cluster. */
export function faultsOf(objects: readonly KubeObject[], lint: Lint): readonly Group[][] {
  return [
    group(WITHOUT_DIGEST, digestProblems(objects), 'image-reference-invalid'),
    group(UNCLEAR, [...orderProblems(objects), ...phaseProblems(objects)], 'manifest-invalid'),
    group(LOSSY, lint === 'error' ? lintObjects(objects) : [], 'lint'),
  ]
}
